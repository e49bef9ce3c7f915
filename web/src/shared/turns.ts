/**
 * Many tiles, few connections: over HTTP/1.1 a browser has six for one host, and a slow imagery source must not keep
 * the page's own requests waiting behind its tiles.
 *
 * Invariant: no imports, because the boot script carries this too.
 */
const LEFT_FOR_TILES = 4;

/** How many tiles may be under way at once. */
export function tilesAtOnce(): number {
  const [page] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
  return page?.nextHopProtocol === "http/1.1" ? LEFT_FOR_TILES : Infinity;
}

/** Does the work for each, so many at once, in order; what became of them, in order too. */
export async function inTurns<T>(
  list: readonly T[],
  atOnce: number,
  work: (one: T) => Promise<unknown>,
): Promise<boolean[]> {
  const isDone: boolean[] = [];
  let next = 0;
  const run = async () => {
    while (next < list.length) {
      const i = next++;
      isDone[i] = await work(list[i]!).then(
        () => true,
        () => false,
      );
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, list.length) }, run));
  return isDone;
}
