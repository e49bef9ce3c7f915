/** What the page and its service worker call the same. */

/** Where the page puts the images of squares that are taken along, and the worker finds them. */
export const TILES = "spotter-tiles";

/** One last request of a page that goes away. */
export interface LastRequest {
  path: string;
  headers: Record<string, string>;
  body: string;
}

const TILE = /^\/v1\/imagery\/[^/]+\/\d+\/\d+\/\d+$/;

/** Whether a path is that of a tile; with the same `v` it is the same for ever. */
export const isTile = (path: string): boolean => TILE.test(path);
