/** The map beside steps 2 to 4, with the tools of step 3. */
import { effect, signal } from "@preact/signals";
import type { Map as MapLibreMap } from "maplibre-gl";
import { useEffect, useRef } from "preact/hooks";
import type { BBox, MultiPolygon } from "../../shared/contract.ts";
import { Icon } from "../../shared/symbols.tsx";
import { uuid7 } from "../../shared/uuid7.ts";
import { showGraticule, showGrid, showImagery, showParts, showSpot, styleOf } from "./areamap.ts";
import { joined, partsOf } from "./definition.ts";
import type { Part, PartKind } from "./draft.ts";
import type { Drawing } from "./drawing.ts";
import { estimate } from "./estimate.ts";
import { boxOf, isEditable } from "./geometry.ts";
import { kind } from "./importing.ts";
import { say, words } from "./language.ts";
import { selected, tool, wish } from "./mapview.ts";
import { cellZoom, change, draft, layer, nearby, step } from "./state.ts";

const PADDING_PX = 64;
const PLACE_ZOOM = 17;
const DEGREES = new Intl.NumberFormat(words.locale, { maximumFractionDigits: 4 });
const WORLD: BBox = [-170, -60, 190, 75];
const TOOLS = [
  ["area", "polygon"],
  ["leave_out", "hole"],
  ["first", "first"],
] as const;

/** False until the map takes clicks; nobody is told to click before. */
const isReady = signal(false);
const corners = signal(0);
/** The part that is being pulled, as it looks now; the draft gets it when the hand lets go. */
const pulled = signal<{ id: string; geometry: MultiPolygon } | null>(null);
let map: MapLibreMap | null = null;
let drawing: Drawing | null = null;

const unrolled = ([west, south, east, north]: BBox): BBox => [west, south, east < west ? east + 360 : east, north];

function wholeBox(): BBox {
  return boxOf(draft.value.parts.map((part) => part.geometry)) ?? layer.value?.bounds ?? nearby.value ?? WORLD;
}

const lookAt = (box: BBox) => map?.fitBounds(unrolled(box), { padding: padding(), animate: false, maxZoom: 18 });

/** The estimate and the tools stand over the map; what is shown stays clear of them. */
function padding() {
  const height = map?.getContainer().clientHeight ?? 0;
  return height > 500
    ? { top: 96, bottom: 132, left: PADDING_PX, right: PADDING_PX }
    : { top: 84, bottom: 28, left: 28, right: 28 };
}

function finished(geometry: MultiPolygon): void {
  const part = {
    id: uuid7(),
    kind: tool.value ?? "area",
    name: "",
    weight: tool.value === "first" ? 3 : 1,
    geometry,
    file: null,
    repairs: [],
  };
  change({ what: "add_parts", parts: [part] });
  tool.value = null;
  selected.value = part.id;
}

async function create(container: HTMLElement, stops: (() => void)[]): Promise<void> {
  const [{ flatMap }, { Drawing: Hands }] = await Promise.all([import("../../shared/map.ts"), import("./drawing.ts")]);
  const created = flatMap({
    container,
    style: styleOf(),
    bounds: unrolled(wholeBox()),
    fitBoundsOptions: { padding: 28 },
    renderWorldCopies: true,
  });
  created.on("error", () => {});
  await created.once("load");
  if (!container.isConnected) return created.remove();
  map = created;
  lookAt(wholeBox());
  drawing = new Hands(created, {
    drawn: finished,
    shaped: (id, geometry, isDone) => {
      pulled.value = isDone ? null : { id, geometry };
      // What was put right in it was put right in another outline.
      if (isDone) change({ what: "edit_part", id, to: { geometry, repairs: [], file: null } });
    },
    corners: (count) => (corners.value = count),
  });
  stops.push(...follow(created));
  isReady.value = true;
}

/** Keeps the map as the state says. */
function follow(created: MapLibreMap): (() => void)[] {
  const moved = signal(0);
  // Some moves begin in an effect, which must not come to depend on them.
  created.on("moveend", () => (moved.value = moved.peek() + 1));
  let shownLayer: string | null | undefined;
  return [
    effect(() => {
      const now = layer.value;
      const name = now && `${now.key} ${now.revision}`;
      if (name === shownLayer) return;
      const isFirst = shownLayer === undefined;
      shownLayer = name;
      showImagery(created, now);
      if (!isFirst && now?.bounds && !draft.peek().parts.length) lookAt(now.bounds);
    }),
    effect(() => {
      const { parts } = draft.value;
      const now = pulled.value;
      const shown = now
        ? parts.map((part) => (part.id === now.id ? { ...part, geometry: now.geometry } : part))
        : parts;
      const whole = now || estimate.value.isOld ? null : (estimate.value.value?.area ?? null);
      showParts(created, shown, whole, label);
    }),
    effect(() => {
      moved.value;
      const whole = estimate.value.value?.area ?? joined(partsOf(draft.value, "area"));
      showGrid(created, step.value === "looks" ? whole : null, cellZoom.value);
    }),
    effect(() => {
      moved.value;
      showGraticule(created, degrees);
    }),
    effect(() => {
      // It may come after the map; nobody has moved that yet.
      if (nearby.value && moved.peek() === 0) lookAt(wholeBox());
    }),
    effect(() => {
      const wanted = wish.value;
      if (!wanted) return;
      showSpot(created, "place" in wanted ? wanted.place : null);
      if ("box" in wanted) lookAt(wanted.box);
      else created.jumpTo({ center: wanted.place, zoom: Math.max(created.getZoom(), PLACE_ZOOM) });
    }),
    effect(hands),
  ];
}

let drawn: PartKind | null = null;

/** Drawing and pulling corners are for step 3 only. */
function hands(): void {
  const isArea = step.value === "area";
  const { parts } = draft.value;
  const wanted = isArea ? tool.value : null;
  // Begun once for each tool: another change of the draft must not drop the corners that were set.
  if (wanted && wanted !== drawn) drawing?.begin();
  if (!wanted) drawing?.end();
  drawn = wanted;
  if (wanted) return;
  const chosen = parts.find((part) => part.id === selected.value) ?? parts.find((part) => part.kind === "area");
  drawing?.show(isArea && chosen && isEditable(chosen.geometry) ? chosen : null);
}

/** Only what has a name or a weight: a label that repeats the pattern below it is noise. */
function label(part: Part): string | null {
  const name = part.name.trim();
  if (part.kind === "first") return `${name} × ${words.number(part.weight)}`.trim();
  return part.kind === "leave_out" && name ? name : null;
}

function degrees(value: number, axis: "lon" | "lat"): string {
  const around = axis === "lon" ? ((((value + 180) % 360) + 360) % 360) - 180 : value;
  const number = `${DEGREES.format(Math.abs(around))}°`;
  if (around === 0) return number;
  const side = axis === "lon" ? (around > 0 ? "east" : "west") : around > 0 ? "north" : "south";
  return say(`degrees_${side}`, { degrees: number });
}

export function MapView({ isShown }: { isShown: boolean }) {
  const container = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const stops: (() => void)[] = [];
    void create(container.current!, stops);
    return () => {
      for (const stop of stops) stop();
      drawing?.stop();
      map?.remove();
      [map, drawing, drawn] = [null, null, null];
      isReady.value = false;
    };
  }, []);
  useEffect(() => {
    if (isShown) map?.resize();
  }, [isShown]);
  const isArea = step.value === "area";
  useEffect(() => {
    // With nothing drawn yet there is only one thing to do.
    if (isArea && !partsOf(draft.value, "area").length) tool.value = "area";
    if (!isArea) tool.value = null;
  }, [isArea]);
  return (
    <div class="mapbox" hidden={!isShown}>
      <div
        class="canvas"
        ref={container}
        role="img"
        aria-label={say("map_label", {
          n: partsOf(draft.value, "area").length,
          out: partsOf(draft.value, "leave_out").length,
          first: partsOf(draft.value, "first").length,
        })}
      />
      {isArea && <Tools />}
      <div class="mapzoom" role="group" aria-label={say("zoom_group")}>
        <button type="button" aria-label={say("zoom_in")} onClick={() => map?.zoomIn({ animate: false })}>
          <Icon name="plus" />
        </button>
        <button type="button" aria-label={say("zoom_out")} onClick={() => map?.zoomOut({ animate: false })}>
          <Icon name="minus" />
        </button>
        <button type="button" aria-label={say("zoom_fit")} onClick={() => lookAt(wholeBox())}>
          <Icon name="fit" />
        </button>
      </div>
    </div>
  );
}

function Tools() {
  const chosen = draft.value.parts.find((part) => part.id === selected.value);
  const choose = (what: PartKind) => {
    const isOn = tool.value === what;
    tool.value = isOn ? null : what;
    kind.value = what;
  };
  return (
    <>
      <div class="tools" role="group" aria-label={say("drawing")}>
        {TOOLS.map(([what, icon]) => (
          <button key={what} type="button" aria-pressed={tool.value === what} onClick={() => choose(what)}>
            <Icon name={icon} />
            {say(`tool_${what}`)}
          </button>
        ))}
      </div>
      {tool.value && isReady.value ? (
        <div class="pill hintpill" role="status">
          <span>{say(corners.value === 0 ? "draw_first" : corners.value < 3 ? "draw_next" : "draw_close")}</span>
          {corners.value >= 3 && (
            <button type="button" class="btn sm" onClick={() => drawing?.finish()}>
              {say("draw_finish")}
            </button>
          )}
          {corners.value > 0 && (
            <button type="button" class="btn sm ghost" onClick={() => drawing?.begin()}>
              {say("draw_again")}
            </button>
          )}
        </div>
      ) : (
        !tool.value &&
        chosen &&
        !isEditable(chosen.geometry) && (
          <div class="pill hintpill" role="status">
            {say("not_editable")}
          </div>
        )
      )}
    </>
  );
}
