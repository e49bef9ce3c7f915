/**
 * The map as an object: made once, told what to show, asked where things are; it knows nothing of signals.
 *
 * Invariant: after `remove` nothing happens any more; moving it never turns or tilts it.
 */
import type { Map as MapLibreMap } from "maplibre-gl";
import type { Campaign, LonLat, ProgressCells, TagFeature } from "../../shared/contract.ts";
import { imagerySource } from "../../shared/raster.ts";
import { addBadges, addLayers, dress, frameCells, rasterPaint, showArea, showCells, showTags } from "./layers.ts";
import { boxOf, boxParameter, unrolled } from "./places.ts";

/** Moves that follow each other faster are one. */
const REST_MS = 200;
const PADDING = 32;
/** Width of a cell on the screen when the map goes to a tag. */
const CELL_PX = 240;
const TILE_PX = 512;

export interface Hands {
  /** The map has come to rest over a part of the world. */
  onRest: (view: { bbox: string; zoom: string }) => void;
  onMove: () => void;
  onHover: (place: LonLat | null) => void;
  onClick: (place: LonLat) => void;
}

export interface ScreenPoint {
  x: number;
  y: number;
}

export class WorldMap {
  readonly #map: MapLibreMap;
  readonly #campaign: Campaign;
  readonly #theme: MutationObserver;
  #rest: ReturnType<typeof setTimeout> | undefined;

  private constructor(map: MapLibreMap, campaign: Campaign, hands: Hands) {
    this.#map = map;
    this.#campaign = campaign;
    map.on("move", hands.onMove);
    map.on("moveend", () => {
      clearTimeout(this.#rest);
      this.#rest = setTimeout(() => hands.onRest(this.#view()), REST_MS);
    });
    map.on("mousemove", ({ lngLat }) => hands.onHover([lngLat.lng, lngLat.lat]));
    map.on("mouseout", () => hands.onHover(null));
    map.on("click", ({ lngLat }) => hands.onClick([lngLat.lng, lngLat.lat]));
    this.#theme = new MutationObserver(() => dress(map, campaign.cell_zoom));
    this.#theme.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    hands.onRest(this.#view());
  }

  static async make(container: HTMLElement, campaign: Campaign, hands: Hands): Promise<WorldMap> {
    const { flatMap } = await import("../../shared/map.ts");
    const map = flatMap({
      container,
      bounds: unrolled(campaign.bbox),
      fitBoundsOptions: { padding: PADDING },
      maxZoom: campaign.imagery.max_zoom + 1,
      style: {
        version: 8,
        sources: { imagery: imagerySource(campaign.imagery) },
        layers: [
          {
            id: "imagery",
            type: "raster",
            source: "imagery",
            paint: { ...rasterPaint(campaign.cell_zoom), "raster-fade-duration": 0 },
          },
        ],
      },
    });
    // A tile that is missing is seen; it need not be told besides.
    map.on("error", () => {});
    const canvas = map.getCanvas();
    // The element around it takes the focus and has the name and the keys.
    for (const name of ["tabindex", "role", "aria-label"]) canvas.removeAttribute(name);
    canvas.ariaHidden = "true";
    await map.once("load");
    addLayers(map, campaign);
    await addBadges(map, campaign);
    showArea(map, campaign);
    return new WorldMap(map, campaign, hands);
  }

  showCells(cells: ProgressCells | null): void {
    showCells(this.#map, cells);
  }

  showTags(tags: readonly TagFeature[]): void {
    showTags(this.#map, tags);
  }

  showArea(campaign: Campaign): void {
    showArea(this.#map, campaign);
  }

  frame(cells: readonly string[]): void {
    frameCells(this.#map, cells);
  }

  zoomBy(levels: number): void {
    this.#map.zoomTo(this.#map.getZoom() + levels, this.#motion());
  }

  wholeArea(): void {
    this.#map.fitBounds(unrolled(this.#campaign.bbox), { padding: PADDING, ...this.#motion() });
  }

  panBy(x: number, y: number): void {
    this.#map.panBy([x, y], this.#motion());
  }

  /** Goes where a cell is seen with its surroundings. */
  goTo(place: LonLat): void {
    const zoom = Math.max(this.#map.getZoom(), this.#campaign.cell_zoom + Math.log2(CELL_PX / TILE_PX));
    this.#map.easeTo({ center: this.#near(place), zoom, ...this.#motion() });
  }

  /** Goes so near to a block of cells that these are drawn one by one. */
  open(block: string): void {
    const [west, south, east, north] = boxOf(block);
    const { lng, lat } = this.#map.getCenter();
    const [x] = this.#near([(west + east) / 2, lat]);
    const shift = x - (west + east) / 2;
    const camera = this.#map.cameraForBounds([west + shift, south, east + shift, north], { padding: PADDING });
    this.#map.easeTo({ center: camera?.center ?? [lng, lat], zoom: camera?.zoom ?? 0, ...this.#motion() });
  }

  /** Moves just so far that a cell is in view. */
  reveal(cell: string): void {
    const [west, south, east, north] = boxOf(cell);
    const centre: LonLat = [(west + east) / 2, (south + north) / 2];
    const at = this.project(centre);
    const { clientWidth, clientHeight } = this.#map.getContainer();
    const isSeen = at.x > 16 && at.y > 16 && at.x < clientWidth - 16 && at.y < clientHeight - 16;
    if (!isSeen) this.#map.easeTo({ center: this.#near(centre), ...this.#motion() });
  }

  /** Where a place is on the screen, in that copy of the world which is in the middle. */
  project(place: LonLat): ScreenPoint {
    return this.#map.project(this.#near(place));
  }

  get centre(): LonLat {
    const { lng, lat } = this.#map.getCenter();
    return [lng, lat];
  }

  get size(): { width: number; height: number } {
    const { clientWidth: width, clientHeight: height } = this.#map.getContainer();
    return { width, height };
  }

  remove(): void {
    clearTimeout(this.#rest);
    this.#theme.disconnect();
    this.#map.remove();
  }

  /** The longitude unrolled to within half a turn of the middle. */
  #near([lon, lat]: LonLat): LonLat {
    const turns = Math.round((this.#map.getCenter().lng - lon) / 360);
    return [lon + turns * 360, lat];
  }

  #view(): { bbox: string; zoom: string } {
    const bounds = this.#map.getBounds();
    const bbox = boxParameter(bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth());
    return { bbox, zoom: Math.min(26, Math.max(0, this.#map.getZoom())).toFixed(2) };
  }

  #motion(): { animate: boolean; duration: number } {
    const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    return { animate: !isCalm, duration: isCalm ? 0 : 400 };
  }
}
