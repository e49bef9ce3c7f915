/** MapLibre as both pages use it: its worker from our own origin, and nothing drawn but what is asked for. */
import { LngLat, Map as MapLibreMap, type MapOptions, setWorkerUrl } from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?url";
import "./map.css";

// Without this MapLibre looks beside its own module, whose name the build has hashed.
setWorkerUrl(workerUrl);

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
  return map;
}
