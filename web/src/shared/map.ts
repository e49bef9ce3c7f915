/** MapLibre as both pages use it: its worker from our own origin, and nothing drawn but what is asked for. */
import { LngLat, Map as MapLibreMap, type MapOptions, setMaxParallelImageRequests, setWorkerUrl } from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?url";
import { tilesAtOnce } from "./turns.ts";
import "./map.css";

// Without this MapLibre looks beside its own module, whose name the build has hashed.
setWorkerUrl(workerUrl);
if (Number.isFinite(tilesAtOnce())) setMaxParallelImageRequests(tilesAtOnce());

export { LngLat };

/** A flat, unrotated map without controls or fading. */
export function flatMap(options: MapOptions): MapLibreMap {
  const map = new MapLibreMap({
    attributionControl: false,
    boxZoom: false,
    doubleClickZoom: false,
    dragRotate: false,
    touchPitch: false,
    pitchWithRotate: false,
    keyboard: false,
    maxPitch: 0,
    fadeDuration: 0,
    refreshExpiredTiles: false,
    ...options,
  });
  map.touchZoomRotate.disableRotation();
  // A double tap followed by a drag would zoom, but two quick taps are two tags. MapLibre has no option for it.
  (map.touchZoomRotate as unknown as { _tapDragZoom?: { disable(): void } })._tapDragZoom?.disable();
  return map;
}
