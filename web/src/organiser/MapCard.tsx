/** Where people have looked: the cells by counted looks, the area, the tags, on dimmed grey imagery. */
import { effect, signal } from "@preact/signals";
import type { Map as MapLibreMap } from "maplibre-gl";
import { useEffect, useRef } from "preact/hooks";
import { call } from "../shared/api.ts";
import type { BBox, Campaign, ProgressCells } from "../shared/contract.ts";
import { imagerySource } from "../shared/raster.ts";
import { Icon } from "../shared/symbols.tsx";
import { say, words } from "./language.ts";
import { addBadges, addLayers, showCells, showTags } from "./layers.ts";
import { campaign, key, path, progress, round, tags } from "./state.ts";

const CELLS_EVERY_ROUNDS = 3;
const shown = signal<"looks" | "tags">("looks");
let map: MapLibreMap | null = null;

/** The campaign's box, unrolled when it crosses the antimeridian. */
const unrolled = ([west, south, east, north]: BBox): BBox => [west, south, east < west ? east + 360 : east, north];

const wholeArea = (c: Campaign) => map?.fitBounds(unrolled(c.bbox), { padding: 32, animate: false });

async function refreshCells(): Promise<void> {
  if (!map) return;
  const bounds = map.getBounds();
  const box = [bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()]
    .map((v) => v.toFixed(6))
    .join(",");
  const zoom = Math.max(0, map.getZoom()).toFixed(2);
  const cells = await call<ProgressCells>(`${path}/progress/cells?bbox=${box}&zoom=${zoom}`, {
    token: key.value,
  }).catch(() => null);
  if (cells && map) showCells(map, cells);
}

async function createMap(container: HTMLElement, c: Campaign): Promise<void> {
  const { flatMap } = await import("../shared/map.ts");
  const isDark = matchMedia("(prefers-color-scheme: dark)").matches;
  const paint = isDark
    ? { "raster-saturation": -1, "raster-brightness-max": 0.35, "raster-opacity": 0.7 }
    : { "raster-saturation": -1, "raster-contrast": -0.4, "raster-opacity": 0.5 };
  const created = flatMap({
    container,
    bounds: unrolled(c.bbox),
    fitBoundsOptions: { padding: 32 },
    style: {
      version: 8,
      sources: { imagery: imagerySource(c.imagery) },
      layers: [{ id: "imagery", type: "raster", source: "imagery", paint: { ...paint, "raster-fade-duration": 0 } }],
    },
  });
  created.getCanvas().setAttribute("role", "img");
  created.on("error", () => {});
  await created.once("load");
  map = created;
  addLayers(map, c);
  await addBadges(map, c);
  map.on("moveend", () => void refreshCells());
  await refreshCells();
  effect(() => showTags(created, tags.value));
  effect(() => {
    if (round.value % CELLS_EVERY_ROUNDS === 0) void refreshCells();
  });
  effect(() => {
    for (const layer of ["cells", "bad"])
      created.setLayoutProperty(layer, "visibility", shown.value === "looks" ? "visible" : "none");
    created
      .getCanvas()
      .setAttribute("aria-label", say("map_label", { share: words.percent(progress.value?.coverage ?? 0) }));
  });
}

function Legend({ wanted }: { wanted: number }) {
  // With many looks wanted the six colours stand for ranges; their ends are enough.
  const steps = Array.from({ length: 5 }, (_, i) => (wanted <= 5 ? i : Math.round((i * wanted) / 5))).slice(
    0,
    Math.min(5, wanted),
  );
  return (
    <div class="legend">
      <b>{say("legend")}</b>
      <ol class="num">
        {steps.map((looks, i) => (
          <li key={i}>
            <i class={`p${wanted <= 5 && wanted > 1 && i > 0 ? Math.round((i / wanted) * 5) : i}`} />
            {looks}
          </li>
        ))}
        <li>
          <i class="p6" />
          {say("legend_done")}
        </li>
        <li class="gap">
          <i class="hatch" />
          {say("legend_bad")}
        </li>
      </ol>
    </div>
  );
}

export function MapCard() {
  const container = useRef<HTMLDivElement>(null);
  const c = campaign.value!;
  useEffect(() => {
    createMap(container.current!, c).catch(() => {});
  }, [c.id]);
  return (
    <section class="card mapcard" aria-labelledby="h-map">
      <header>
        <h2 id="h-map" class="grow">
          {say("map_title")}
        </h2>
        <div class="seg" role="group" aria-label={say("map_show")}>
          <button type="button" aria-pressed={shown.value === "looks"} onClick={() => (shown.value = "looks")}>
            {say("map_looks")}
          </button>
          <button type="button" aria-pressed={shown.value === "tags"} onClick={() => (shown.value = "tags")}>
            {say("map_tags")}
          </button>
        </div>
      </header>
      <div class="map">
        <div class="canvas" ref={container} />
        <div class="zoom" role="group" aria-label={say("zoom_group")}>
          <button type="button" aria-label={say("zoom_in")} onClick={() => map?.zoomIn()}>
            <Icon name="plus" small />
          </button>
          <button type="button" aria-label={say("zoom_out")} onClick={() => map?.zoomOut()}>
            <Icon name="minus" small />
          </button>
          <button type="button" aria-label={say("zoom_fit")} onClick={() => wholeArea(c)}>
            <Icon name="fit" small />
          </button>
        </div>
      </div>
      <Legend wanted={c.looks_wanted} />
    </section>
  );
}
