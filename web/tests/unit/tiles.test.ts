import { describe, expect, test } from "vitest";
import {
  cellAreaKm2,
  fitZoom,
  metresPerPixel,
  niceLength,
  parseCell,
  sourceTileSize,
  tileBox,
  tilesOfCell,
  tileUrl,
  tileZoom,
  toLonLat,
  toWorld,
} from "../../src/shared/tiles.ts";

describe("places and the map", () => {
  test("degrees survive the way to the map and back", () => {
    for (const [lon, lat] of [
      [128.6576, 37.6686],
      [-179.9, -84.9],
      [0, 0],
      [179.999, 85],
    ] as [number, number][]) {
      const [lon2, lat2] = toLonLat(toWorld([lon, lat]));
      expect(lon2).toBeCloseTo(lon, 9);
      expect(lat2).toBeCloseTo(lat, 9);
    }
  });

  test("a place lies in the tile that holds it", () => {
    const world = toWorld([128.6576, 37.6686]);
    const cell = parseCell(`17/${Math.floor(world.x * 2 ** 17)}/${Math.floor(world.y * 2 ** 17)}`);
    const box = tileBox(cell);
    expect(world.x).toBeGreaterThanOrEqual(box.x);
    expect(world.y).toBeLessThan(box.y + box.side);
  });
});

describe("true metres", () => {
  test("a pixel at the equator is 78 km wide at zoom 0", () => {
    expect(metresPerPixel(0, 0)).toBeCloseTo(78_271.517, 2);
  });

  test("a pixel at 60 degrees is half as wide as at the equator", () => {
    expect(metresPerPixel(60, 10) / metresPerPixel(0, 10)).toBeCloseTo(0.5, 6);
  });

  test("a cell of zoom 17 in Korea is 242 m wide", () => {
    const side = Math.sqrt(cellAreaKm2({ z: 17, x: 112_386, y: 50_716 }) * 1e6);
    expect(side).toBeGreaterThan(241);
    expect(side).toBeLessThan(243);
  });

  test("the scale bar has a round length that fits", () => {
    expect(niceLength(0.3, 180)).toBe(50);
    expect(niceLength(0.1, 180)).toBe(10);
    expect(niceLength(7, 180)).toBe(1000);
  });
});

describe("tiles of a square", () => {
  const cell = { z: 17, x: 112_386, y: 50_716 };

  test("two zooms deeper there are sixteen, row by row", () => {
    const tiles = tilesOfCell(cell, 19);
    expect(tiles).toHaveLength(16);
    expect(tiles[0]).toEqual({ z: 19, x: 449_544, y: 202_864 });
    expect(tiles[15]).toEqual({ z: 19, x: 449_547, y: 202_867 });
  });

  test("of a layer that ends above the cell one tile covers it", () => {
    expect(tilesOfCell(cell, 15)).toEqual([{ z: 15, x: 28_096, y: 12_679 }]);
  });

  test("the tile zoom gives about one image pixel for one device pixel", () => {
    for (const [cellPx, ratio] of [
      [366, 3],
      [772, 1],
      [366, 2],
      [1000, 2],
    ] as const) {
      const z = tileZoom(fitZoom(17, cellPx), sourceTileSize(256, ratio), 0, 22);
      const imagePx = 256 * 2 ** (z - 17);
      expect(Math.abs(Math.log2(imagePx / (cellPx * ratio)))).toBeLessThanOrEqual(0.5);
    }
  });

  test("the tile zoom stays within the layer", () => {
    expect(tileZoom(16.6, 128, 0, 18)).toBe(18);
    expect(tileZoom(3, 256, 6, 18)).toBe(6);
  });

  test("an address is made from its template", () => {
    expect(tileUrl("/v1/imagery/demo/{z}/{x}/{y}?v=1", { z: 3, x: 2, y: 1 })).toBe("/v1/imagery/demo/3/2/1?v=1");
  });
});
