/**
 * The hands on the map: terra-draw draws a new outline or moves the corners of the chosen part.
 *
 * Invariant: terra-draw holds the chosen part and the one being drawn, nothing else; the draft is the truth, and every
 * finished gesture is told to it at once.
 */
import type { Map as MapLibreMap } from "maplibre-gl";
import { TerraDraw, TerraDrawPolygonMode, TerraDrawSelectMode } from "terra-draw";
import { TerraDrawMapLibreGLAdapter } from "terra-draw-maplibre-gl-adapter";
import type { LonLat, MultiPolygon } from "../../shared/contract.ts";
import { uuid7 } from "../../shared/uuid7.ts";
import type { Part } from "./draft.ts";

const WHITE = "#FFFFFF";
const INK = "#0B1015";
const AMBER = "#FFC53D";
/** Nine digits are a tenth of a millimetre. */
const PRECISION = 9;

export interface Listener {
  /** A new outline was finished. */
  drawn(geometry: MultiPolygon): void;
  /** The chosen part looks so now; told for every step of a gesture, `isDone` at its end. */
  shaped(id: string, geometry: MultiPolygon, isDone: boolean): void;
  /** How many corners the outline that is being drawn has. */
  corners(count: number): void;
}

export class Drawing {
  readonly #draw: TerraDraw;
  readonly #listener: Listener;
  #shown: { id: string; text: string } | null = null;

  constructor(map: MapLibreMap, listener: Listener) {
    this.#listener = listener;
    this.#draw = new TerraDraw({
      adapter: new TerraDrawMapLibreGLAdapter({ map, coordinatePrecision: PRECISION }),
      idStrategy: { isValidId: (id) => typeof id === "string", getId: () => uuid7() },
      modes: [polygonMode(), selectMode()],
    });
    this.#draw.start();
    this.#draw.on("finish", (id, { action }) => {
      const geometry = this.#geometry(id);
      if (!geometry) return;
      if (action === "draw") {
        this.#draw.removeFeatures([id]);
        listener.corners(0);
        listener.drawn(geometry);
      } else if (id === this.#shown?.id) this.#tell(listener, String(id), geometry, true);
    });
    this.#draw.on("change", (ids, type) => {
      if (type === "styling" || type === "delete") return;
      const id = this.#shown?.id;
      if (id !== undefined && ids.includes(id)) {
        const geometry = this.#geometry(id);
        if (geometry && type === "update") this.#tell(listener, id, geometry, false);
      } else if (this.#draw.getMode() === "polygon") listener.corners(this.#cornersSet().length);
    });
  }

  /** Begins a new outline; one that was begun before is dropped. */
  begin(): void {
    this.show(null);
    this.#draw.setMode("polygon");
    this.#listener.corners(0);
  }

  /** Makes an outline of the corners that were set, as a click on the first one does. */
  finish(): void {
    const corners = this.#cornersSet();
    if (corners.length < 3) return;
    this.end();
    this.#listener.drawn({ type: "MultiPolygon", coordinates: [[[...corners, corners[0]!]]] });
  }

  /** Leaves drawing; what was begun is dropped. */
  end(): void {
    if (this.#draw.getMode() === "polygon") this.#draw.setMode("select");
  }

  /** Makes the corners of this part movable; null for none. */
  show(part: Part | null): void {
    const ring = part?.geometry.coordinates[0]?.[0];
    const text = JSON.stringify(ring ?? null);
    if (this.#shown?.id === part?.id && this.#shown?.text === text) return;
    if (this.#shown && this.#draw.hasFeature(this.#shown.id)) this.#draw.removeFeatures([this.#shown.id]);
    this.#shown = null;
    if (!part || !ring) return;
    this.#shown = { id: part.id, text };
    this.#draw.addFeatures([
      {
        id: part.id,
        type: "Feature",
        geometry: { type: "Polygon", coordinates: [ring.map(rounded)] },
        properties: { mode: "polygon" },
      },
    ]);
    if (this.#draw.hasFeature(part.id)) this.#draw.selectFeature(part.id);
    else this.#shown = null;
  }

  stop(): void {
    this.#draw.stop();
  }

  #tell(listener: Listener, id: string, geometry: MultiPolygon, isDone: boolean): void {
    if (isDone) this.#shown = { id, text: JSON.stringify(geometry.coordinates[0]![0]) };
    listener.shaped(id, geometry, isDone);
  }

  #geometry(id: string | number): MultiPolygon | null {
    const found = this.#draw.getSnapshotFeature(id);
    if (found?.geometry.type !== "Polygon") return null;
    return { type: "MultiPolygon", coordinates: [found.geometry.coordinates as LonLat[][]] };
  }

  /** The corners that were clicked, without the one that follows the pointer. */
  #cornersSet(): LonLat[] {
    for (const { geometry, properties } of this.#draw.getSnapshot()) {
      const count = properties.committedCoordinateCount;
      if (geometry.type === "Polygon" && typeof count === "number")
        return geometry.coordinates[0]!.slice(0, count) as LonLat[];
    }
    return [];
  }
}

const rounded = ([lon, lat]: LonLat): LonLat => [Number(lon.toFixed(PRECISION)), Number(lat.toFixed(PRECISION))];

const polygonMode = () =>
  new TerraDrawPolygonMode({
    pointerDistance: 24,
    styles: {
      fillColor: WHITE,
      fillOpacity: 0.12,
      outlineColor: WHITE,
      outlineWidth: 2.5,
      closingPointColor: AMBER,
      closingPointOutlineColor: INK,
      closingPointOutlineWidth: 2,
      closingPointWidth: 7,
      coordinatePointColor: WHITE,
      coordinatePointOutlineColor: INK,
      coordinatePointOutlineWidth: 2,
      coordinatePointWidth: 5,
    },
    showCoordinatePoints: true,
  });

const selectMode = () =>
  new TerraDrawSelectMode({
    pointerDistance: 24,
    // Which part is chosen is said in the list; a click beside it must not leave it.
    allowManualDeselection: false,
    flags: {
      polygon: {
        feature: {
          draggable: false,
          coordinates: { midpoints: { draggable: true }, draggable: true, deletable: true },
        },
      },
    },
    styles: {
      selectedPolygonFillOpacity: 0,
      selectedPolygonOutlineColor: WHITE,
      selectedPolygonOutlineWidth: 2.5,
      selectionPointColor: WHITE,
      selectionPointOutlineColor: INK,
      selectionPointOutlineWidth: 2,
      selectionPointWidth: 6,
      midPointColor: WHITE,
      midPointOutlineColor: INK,
      midPointOutlineWidth: 1.5,
      midPointWidth: 3.5,
    },
  });
