/** A cut-out of the imagery around one place, with a ring: what such an object looks like. */
import type { Imagery, LonLat } from "./contract.ts";
import { tileUrl, toWorld } from "./tiles.ts";

/** Side of the cut-out in tiles: small, so that a 9 m object fills a good part. */
const SPAN = 0.5;

export function Thumb({ at, imagery, label }: { at: LonLat; imagery: Imagery; label: string }) {
  const z = imagery.max_zoom;
  const world = toWorld(at);
  const [x, y] = [world.x * 2 ** z, world.y * 2 ** z];
  const [west, north] = [x - SPAN / 2, y - SPAN / 2];
  const tiles = [];
  for (let column = Math.floor(west); column <= Math.floor(west + SPAN); column++) {
    for (let row = Math.floor(north); row <= Math.floor(north + SPAN); row++) tiles.push({ z, x: column, y: row });
  }
  const percent = (part: number) => `${(part / SPAN) * 100}%`;
  return (
    <div class="thumb" role="img" aria-label={label}>
      {tiles.map((tile) => (
        <img
          key={`${tile.x}/${tile.y}`}
          alt=""
          loading="lazy"
          src={tileUrl(imagery.tiles, tile)}
          onError={(event) => {
            // A hole is quieter than the browser's sign for a broken image.
            event.currentTarget.hidden = true;
          }}
          style={{ left: percent(tile.x - west), top: percent(tile.y - north), width: percent(1), height: percent(1) }}
        />
      ))}
    </div>
  );
}
