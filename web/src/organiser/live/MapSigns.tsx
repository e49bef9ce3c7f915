/** What lies over the map as HTML, because it is text: names of areas, the tip of a cell, the ring around a tag. */
import type { Signal } from "@preact/signals";
import type { Block, MultiPolygon } from "../../shared/contract.ts";
import { Badge, Ring } from "../../shared/symbols.tsx";
import { say } from "../language.ts";
import { boundsOf, boxOf, byName, placeOf } from "./places.ts";
import { campaign, cells, pointedAt, shown, typeOf } from "./state.ts";
import type { WorldMap } from "./worldmap.ts";

/** A name is shown when its area is at least so wide on the screen. */
const LEAST_WIDTH_PX = 48;
const MOST_LABELS = 50;
/** Room that the tip needs beside its cell. */
const TIP_PX = { width: 250, height: 64 };

interface Over {
  world: Signal<WorldMap | null>;
  moves: Signal<number>;
}

interface Named {
  name: string;
  area: MultiPolygon;
}

function namedAreas(): Named[] {
  const c = campaign.value!;
  const first = (c.priorities ?? []).map(({ area, name }) => ({ area, name: name || say("map_first") }));
  const out = c.leave_out ? [{ area: c.leave_out, name: say("map_left_out") }] : [];
  return [...first, ...out].slice(0, MOST_LABELS);
}

export function MapLabels({ world, moves }: Over) {
  void moves.value;
  const map = world.value;
  if (!map) return null;
  return (
    <div class="labels" aria-hidden="true">
      {namedAreas().map(({ name, area }, i) => {
        const [west, , east, north] = boundsOf(area);
        const [start, end] = [map.project([west, north]), map.project([east, north])];
        if (end.x - start.x < LEAST_WIDTH_PX) return null;
        return (
          <span key={i} dir="auto" style={{ left: `${(start.x + end.x) / 2}px`, top: `${start.y}px` }}>
            {name}
          </span>
        );
      })}
    </div>
  );
}

/** What there is to say about a cell, or about a block of them. */
function tipText(block: Block): [string, string] {
  const wanted = campaign.value!.looks_wanted;
  const tags = say("tip_tags", { n: block.tags });
  if (block.cells > 1) {
    const looks = say("tip_block_looks", { looks: block.looks, wanted });
    return [say("tip_block", { n: block.cells }), say("tip_line", { looks, tags })];
  }
  const looks = block.closed ? say("tip_closed") : say("tip_looks", { n: block.looks, wanted });
  return [say("tip_cell", { cell: block.cell }), say("tip_line", { looks, tags })];
}

export function Tip({ world, moves, cursor }: Over & { cursor: Signal<string | null> }) {
  void moves.value;
  const map = world.value;
  const name = shown.value === "looks" ? cursor.value : null;
  const block = name && cells.value ? byName(cells.value).get(name) : undefined;
  const text = block && tipText(block);
  let style = {};
  if (block && map) {
    const [, south, east] = boxOf(block.cell);
    const at = map.project([east, south]);
    const isFar = at.x + TIP_PX.width > map.size.width;
    const top = Math.min(at.y + 6, map.size.height - TIP_PX.height);
    style = { top: `${top}px`, ...(isFar ? { right: `${map.size.width - at.x + 24}px` } : { left: `${at.x + 6}px` }) };
  }
  return (
    <>
      {text && (
        <div class="tip num" style={style} aria-hidden="true">
          <b>{text[0]}</b>
          {text[1]}
        </div>
      )}
      <p class="vh" aria-live="polite">
        {text && `${text[0]}. ${text[1]}`}
      </p>
    </>
  );
}

/** The ring around the tag that was chosen in the list. */
export function PointedAt({ world, moves }: Over) {
  void moves.value;
  const tag = pointedAt.value;
  const map = world.value;
  if (!tag || !map) return null;
  const at = map.project(placeOf(tag));
  const type = typeOf(tag.properties.tag_type);
  return (
    <div class="ring" style={{ left: `${at.x}px`, top: `${at.y}px` }} aria-hidden="true">
      <svg viewBox="0 0 72 72">
        <Ring colour={type?.colour ?? "#FFFFFF"} />
      </svg>
      {type && <Badge icon={type.icon} colour={type.colour} />}
    </div>
  );
}
