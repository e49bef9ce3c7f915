/**
 * Moves the view. MapLibre, once it has arrived, pans, pinches and draws all other zooms; until then, and where
 * there is no WebGL, the plates alone show the square.
 *
 * Invariant: the centre never leaves the square by more than keeps the square grown by half its side in sight.
 */
import type { Map as MapLibreMap } from "maplibre-gl";
import type { LonLat } from "../../shared/contract.ts";
import { imagerySource } from "../../shared/raster.ts";
import { tileBox, toLonLat, toWorld, WORLD_PX } from "../../shared/tiles.ts";
import type { Square } from "../square.ts";
import { square } from "../store.ts";
import { fitView, frame, pxPerWorld, type View, view } from "./view.ts";

const OVERZOOM = 2;
const EASE_MS = 160;
const IMAGERY = "imagery";

let map: MapLibreMap | null = null;
/** What MapLibre draws now: the address of its tiles, and how fine they are. */
let drawn = "";
/** False until MapLibre has a style: nothing can be added before. */
let isStyled = false;
/** Brings MapLibre to the new square, where that is still to be done. */
let settle: (() => void) | null = null;

const isStill = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

function limits({ cell, imagery: { max_zoom, tile_size } }: Square): { least: number; most: number } {
  const least = fitView(cell, frame.value).zoom;
  return { least, most: Math.max(least + OVERZOOM, max_zoom + OVERZOOM - Math.log2(WORLD_PX / tile_size)) };
}

/** The nearest allowed view. The crosshair must be able to reach every corner of the square. */
function constrain({ x, y, zoom }: View): View {
  if (!square.value) return { x, y, zoom };
  const { cell } = square.value;
  const { least, most } = limits(square.value);
  const allowed = Math.min(most, Math.max(least, zoom));
  const box = tileBox(cell);
  const px = WORLD_PX * 2 ** allowed;
  const clamp = (value: number, start: number, stagePx: number) => {
    const reach = Math.max(box.side / 2, box.side - stagePx / 2 / px);
    const middle = start + box.side / 2;
    // The world repeats: a centre just across the antimeridian is brought beside the square.
    const near = value + Math.round(middle - value);
    return Math.min(middle + reach, Math.max(middle - reach, near));
  };
  return { x: clamp(x, box.x, frame.value.width), y: clamp(y, box.y, frame.value.height), zoom: allowed };
}

function jump(to: View): void {
  const next = constrain(to);
  view.value = next;
  map?.jumpTo({ center: toLonLat(next), zoom: next.zoom, padding: padding() });
}

function glide(to: View): void {
  settle?.();
  const next = constrain(to);
  if (!map || isStill()) jump(next);
  else map.easeTo({ center: toLonLat(next), zoom: next.zoom, duration: EASE_MS });
}

const padding = () => ({ top: 0, left: 0, right: 0, bottom: Math.max(0, frame.value.up * 2) });

/** Shows the whole square, at once. */
function goHome(): void {
  const cell = square.value?.cell;
  if (cell) jump(fitView(cell, frame.value));
}

/**
 * Shows a new square, whole. Its plate has the first frame for itself: MapLibre, which is covered until it has drawn
 * the square, follows in the next.
 */
export function beginSquare(container: HTMLElement): void {
  const cell = square.value?.cell;
  if (!cell) return;
  view.value = constrain(fitView(cell, frame.value));
  if (!map) return;
  container.classList.add("covered");
  const follow = () => {
    if (settle !== follow) return;
    settle = null;
    showImagery();
    jump(view.value);
    uncoverWhenDrawn(container);
  };
  settle = follow;
  requestAnimationFrame(() => setTimeout(follow));
}

/** Shows the whole square after a change of zoom by hand. */
export function showWhole(): void {
  const cell = square.value?.cell;
  if (cell) glide(fitView(cell, frame.value));
}

export function zoomBy(steps: number): void {
  glide({ ...view.value, zoom: view.value.zoom + steps });
}

export function panBy(dx: number, dy: number): void {
  glide({ ...view.value, x: view.value.x + dx / pxPerWorld.value, y: view.value.y + dy / pxPerWorld.value });
}

/** Pans without easing, while something is dragged near the edge. */
export function nudge(dx: number, dy: number): void {
  jump({ ...view.value, x: view.value.x + dx / pxPerWorld.value, y: view.value.y + dy / pxPerWorld.value });
}

/** Brings a place into sight when it is hidden. */
export function reveal(at: LonLat): void {
  glide({ ...toWorld(at), zoom: view.value.zoom });
}

/** The stage changed its size: MapLibre follows, and an untouched view stays fitted. */
export function resized(wasHome: boolean): void {
  map?.resize();
  if (wasHome) goHome();
  else jump(view.value);
}

/** Has MapLibre draw the square's imagery, where that is another than the one before it had. */
function showImagery(): void {
  const layer = square.peek()?.imagery;
  if (!map || !isStyled || !layer) return;
  const wanted = `${layer.tiles} ${layer.max_zoom}`;
  if (wanted === drawn && map.getSource(IMAGERY)) return;
  drawn = wanted;
  if (map.getLayer(IMAGERY)) map.removeLayer(IMAGERY);
  // A source cannot be given other zooms or another size of tiles, so it is made anew.
  if (map.getSource(IMAGERY)) map.removeSource(IMAGERY);
  map.addSource(IMAGERY, imagerySource(layer));
  map.addLayer({ id: IMAGERY, type: "raster", source: IMAGERY, paint: { "raster-fade-duration": 0 } });
}

/** Loads MapLibre over the plates; resolves false where it cannot run. */
export async function attachMap(container: HTMLElement): Promise<boolean> {
  try {
    const { flatMap, LngLat } = await import("../../shared/map.ts");
    const { x, y, zoom } = view.value;
    map = flatMap({
      container,
      center: toLonLat({ x, y }),
      zoom,
      minZoom: 0,
      maxZoom: 24,
      trackResize: false,
      clickTolerance: matchMedia("(pointer: coarse)").matches ? 10 : 6,
      transformConstrain: (center, wanted) => {
        const allowed = constrain({ ...toWorld([center.lng, center.lat]), zoom: wanted });
        return { center: new LngLat(...toLonLat(allowed)), zoom: allowed.zoom };
      },
      style: { version: 8, sources: {}, layers: [] },
    });
  } catch {
    map = null;
    return false;
  }
  // The container is the image for keyboard and screen reader; the canvas in it would be a second one.
  for (const attribute of ["tabindex", "role", "aria-label"]) map.getCanvas().removeAttribute(attribute);
  const follow = () => {
    const center = map!.getCenter();
    const at = toWorld([center.lng, center.lat]);
    view.value = { x: at.x + Math.round(view.value.x - at.x), y: at.y, zoom: map!.getZoom() };
  };
  map.on("move", follow);
  map.on("style.load", () => {
    isStyled = true;
    showImagery();
  });
  // A failed tile leaves a hole through which the plate shows; the plate decides whether the square can be judged.
  map.on("error", () => {});
  jump(view.value);
  container.classList.add("covered");
  uncoverWhenDrawn(container);
  return true;
}

/** The map stays hidden until it has drawn the new square, so that no stale tile ever lies over the plate. */
function uncoverWhenDrawn(container: HTMLElement): void {
  const current = square.value;
  void map?.once("idle").then(() => {
    if (square.value === current) container.classList.remove("covered");
  });
}

/** Asks again for tiles that failed. */
export function refreshMap(): void {
  if (map?.getSource(IMAGERY)) map.refreshTiles(IMAGERY);
}
