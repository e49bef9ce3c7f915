/** Packs, their squares and images, as they are put on this device and taken off it. */

import { TILES } from "../../offline/names.ts";
import type { Assignment } from "../../shared/contract.ts";
import { type AlongSquare, type Pack, squareId } from "../along.ts";
import { PACKS, readAll, SQUARES, write } from "../database.ts";
import { tileUrls } from "./tiles.ts";

export const putPack = (database: IDBDatabase | null, pack: Pack): Promise<void> =>
  write(database, PACKS, (packs) => packs.put(pack));

export const dropPack = (database: IDBDatabase | null, id: string): Promise<void> =>
  write(database, PACKS, (packs) => packs.delete(id));

/** Squares that are there already keep their state: the answer may have come a second time. */
export function putSquares(
  database: IDBDatabase | null,
  { campaign, id: pack }: Pack,
  assignments: readonly Assignment[],
): Promise<void> {
  return write(database, SQUARES, (squares) => {
    for (const assignment of assignments) {
      const id = squareId(campaign, assignment.cell);
      const request = squares.get(id) as IDBRequest<AlongSquare | undefined>;
      request.onsuccess = () => {
        const before = request.result;
        if (before?.pack !== pack)
          squares.put({ id, campaign, pack, assignment, state: "loading" } satisfies AlongSquare);
      };
    }
  });
}

export const putSquare = (database: IDBDatabase | null, square: AlongSquare): Promise<void> =>
  write(database, SQUARES, (squares) => squares.put(square));

export const dropSquares = (database: IDBDatabase | null, gone: readonly AlongSquare[]): Promise<void> =>
  write(database, SQUARES, (squares) => {
    for (const { id } of gone) squares.delete(id);
  });

export async function squaresOf(database: IDBDatabase | null, campaign: string): Promise<AlongSquare[]> {
  return (await readAll<AlongSquare>(database, SQUARES)).filter((square) => square.campaign === campaign);
}

/** Removes the images that no square needs any more, of any campaign. */
export async function sweepTiles(database: IDBDatabase | null): Promise<void> {
  const squares = await readAll<AlongSquare>(database, SQUARES);
  if (squares.length === 0) {
    await caches.delete(TILES);
    return;
  }
  const needed = new Set(squares.flatMap(({ assignment }) => tileUrls(assignment, assignment.imagery!)));
  const cache = await caches.open(TILES);
  for (const request of await cache.keys()) {
    const { pathname, search } = new URL(request.url);
    if (!needed.has(pathname + search)) await cache.delete(request);
  }
}
