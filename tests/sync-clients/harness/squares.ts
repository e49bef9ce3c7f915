/** Cells of the tests' campaign and places in them. */

const ZOOM = 17;
const ACROSS = 2 ** ZOOM;
const WEST = Math.floor(((-152.4 + 180) / 360) * ACROSS);
const NORTH = Math.floor(((1 - Math.asinh(Math.tan((57.6 * Math.PI) / 180)) / Math.PI) / 2) * ACROSS);

export const CELL_ZOOM = ZOOM;

export type LonLat = [number, number];

/** A cell of the campaign, by columns to the east and rows to the south. */
export function cell(column: number, row: number): string {
  return `${ZOOM}/${WEST + column}/${NORTH + row}`;
}

/** The place at parts of the way from west to east and from north to south of a cell. */
export function placeIn(name: string, east: number, south: number): LonLat {
  const [, x, y] = name.split("/").map(Number) as [number, number, number];
  return place(x + east, y + south);
}

/** A square of so many cells each way, as a ring. */
export function block(side: number): LonLat[] {
  // A little inside, so that no further cell is touched.
  const [from, to] = [0.01, side - 0.01];
  const corners: [number, number][] = [
    [from, from],
    [from, to],
    [to, to],
    [to, from],
    [from, from],
  ];
  return corners.map(([east, south]) => place(WEST + east, NORTH + south));
}

function place(x: number, y: number): LonLat {
  const lat = Math.atan(Math.sinh(Math.PI * (1 - (2 * y) / ACROSS)));
  const round = (degrees: number) => Math.round(degrees * 1e7) / 1e7;
  return [round((x / ACROSS) * 360 - 180), round((lat * 180) / Math.PI)];
}
