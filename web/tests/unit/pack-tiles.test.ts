import { expect, test } from "vitest";
import type { Imagery } from "../../src/shared/contract.ts";
import { bytesOf, bytesOfSquare, screenZoom, tileUrls, zoomsOf } from "../../src/volunteer/pack/tiles.ts";

const imagery = (change: Partial<Imagery> = {}): Imagery =>
  ({ min_zoom: 0, max_zoom: 22, tile_size: 256, tiles: "/v1/imagery/demo/{z}/{x}/{y}?v=1", ...change }) as Imagery;

test("a sharper screen needs finer tiles, but no finer than there are", () => {
  expect(screenZoom(17, imagery(), 368, 1)).toBe(18);
  expect(screenZoom(17, imagery(), 368, 2)).toBe(19);
  expect(screenZoom(17, imagery({ max_zoom: 18 }), 368, 2)).toBe(18);
});

test("a square needs its surroundings, itself, and everything down to the screen's zoom", () => {
  expect(zoomsOf(17, imagery(), 19)).toEqual([16, 17, 18, 19]);
  expect(zoomsOf(17, imagery({ min_zoom: 18 }), 19)).toEqual([18, 19]);
  expect(zoomsOf(17, imagery(), 15)).toEqual([14, 15]);
  const urls = tileUrls({ cell: "17/10/20" }, imagery({ max_zoom: 19 }));
  expect(urls).toHaveLength(1 + 1 + 4 + 16);
  expect(new Set(urls).size).toBe(urls.length);
  expect(urls[0]).toBe("/v1/imagery/demo/16/5/10?v=1");
  expect(urls).toContain("/v1/imagery/demo/19/43/83?v=1");
});

test("the server's estimate is taken for the zooms of this screen", () => {
  const zooms = [17, 18, 19, 20].map((z) => ({ z, bytes_estimate: 10 ** (z - 17) }));
  expect(bytesOf([{ imagery_layer: "demo", zooms }], () => 19)).toBe(111);
});

test("before anything is asked, a square is taken for what the tiles of this visit weighed", () => {
  const seen = [
    { z: 18, bytes: 1000 },
    { z: 18, bytes: 3000 },
    { z: 19, bytes: 500 },
  ];
  const [coarser, other] = [0.25, 1500];
  expect(bytesOfSquare(17, imagery(), 19, seen)).toBe(other * (coarser + 1) + 2000 * 4 + 500 * 16);
  expect(bytesOfSquare(17, imagery(), 17, [])).toBe(20 * 1024 * (coarser + 1));
  expect(bytesOfSquare(17, imagery({ tile_size: 512 }), 17, [])).toBe(4 * 20 * 1024 * (coarser + 1));
});
