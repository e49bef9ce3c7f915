/** Where people have looked: the cells by counted looks or the tags, on dimmed grey imagery, with their legend. */
import { effect, signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { LonLat, ProgressCells } from "../../shared/contract.ts";
import { Icon } from "../../shared/symbols.tsx";
import { middleOf } from "../../shared/tiles.ts";
import { say, words } from "../language.ts";
import { key } from "../session.ts";
import { wholeShare } from "./ages.ts";
import { CellCard } from "./CellCard.tsx";
import { MapLabels, PointedAt, Tip } from "./MapSigns.tsx";
import { byName, nameOf, nearest, neighbour, placeOf, tileAt } from "./places.ts";
import { legend, RAMP } from "./ramp.ts";
import {
  campaign,
  cells,
  chosen,
  flow,
  pointedAt,
  progress,
  type Shown,
  shown,
  sought,
  tagsInView,
  view,
} from "./state.ts";
import { WorldMap } from "./worldmap.ts";

/** In the picture of looks only the newest tags are signs on the map; there they are news, not a picture. */
const NEWEST_TAGS = 12;
const PAN_PX = 120;

const world = signal<WorldMap | null>(null);
/** Grows when the map moves, so that what lies over it is placed anew. */
const moves = signal(0);
/** The cell under the pointer or the arrow keys. */
const cursor = signal<string | null>(null);

/** The cell or block at a place, when the campaign has one there. */
function blockAt(place: LonLat): string | null {
  const answer = cells.peek();
  const name = answer && nameOf(tileAt(place, answer.zoom));
  return name && byName(answer).has(name) ? name : null;
}

function hover(place: LonLat | null): void {
  cursor.value = place && blockAt(place);
}

function choose(name: string): void {
  const c = campaign.peek()!;
  // A block of many cells opens into its cells.
  if (Number(name.split("/")[0]) < c.cell_zoom) world.peek()?.open(name);
  else chosen.value = name;
}

function click(place: LonLat): void {
  const name = shown.peek() === "looks" ? blockAt(place) : nameOf(tileAt(place, campaign.peek()!.cell_zoom));
  if (name) choose(name);
  else chosen.value = null;
}

const ARROWS: Record<string, [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** The cell beside the one at hand; without one that nearest to the middle. */
function step(answer: ProgressCells, middle: LonLat, dx: number, dy: number): string | null {
  const known = byName(answer);
  const here = cursor.peek();
  return here && known.has(here) ? neighbour(known, here, dx, dy) : nearest(known, answer.zoom, middle);
}

function walk([dx, dy]: [number, number], isPan: boolean): void {
  const map = world.peek();
  const answer = cells.peek();
  if (!map) return;
  const next = isPan || !answer ? null : step(answer, map.centre, dx, dy);
  if (next === null) {
    map.panBy(dx * PAN_PX, dy * PAN_PX);
    return;
  }
  cursor.value = next;
  map.reveal(next);
}

function onKeyDown(event: KeyboardEvent): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const map = world.peek();
  const arrow = ARROWS[event.key];
  if (arrow) walk(arrow, event.shiftKey);
  else if (event.key === "Enter" && cursor.peek()) choose(cursor.peek()!);
  else if (event.key === "+" || event.key === "=") map?.zoomBy(1);
  else if (event.key === "-") map?.zoomBy(-1);
  else if (event.key === "0") map?.wholeArea();
  else if (event.key === "Escape" && chosen.peek()) chosen.value = null;
  else return;
  event.preventDefault();
}

/** Keeps the map like the signals; the function that comes back ends it. */
function follow(map: WorldMap): () => void {
  const ends = [
    effect(() => map.showCells(shown.value === "looks" ? cells.value : null)),
    effect(() => {
      const newest = flow.value.entries.slice(0, NEWEST_TAGS);
      const signs = shown.value === "looks" ? newest : (tagsInView.value?.tags ?? newest);
      // The ring around it leaves the exact spot to be seen; its sign would cover it.
      map.showTags(signs.filter((tag) => tag.id !== pointedAt.value?.id));
    }),
    effect(() => {
      if (campaign.value) map.showArea(campaign.value);
    }),
    effect(() => {
      const framed = [chosen.value, shown.value === "looks" ? cursor.value : null];
      map.frame(framed.filter((name) => name !== null));
    }),
    effect(() => {
      if (pointedAt.value) map.goTo(placeOf(pointedAt.value));
    }),
    effect(() => {
      if (sought.value) map.goTo(middleOf(sought.value));
    }),
  ];
  return () => {
    for (const end of ends) end();
  };
}

/** Makes the map of a campaign and takes it away again. */
function mount(container: HTMLElement): () => void {
  let isGone = false;
  let unfollow = () => {};
  const hands = {
    onRest: (rest: { bbox: string; zoom: string }) => {
      view.value = rest;
    },
    onMove: () => {
      moves.value += 1;
    },
    onHover: hover,
    onClick: click,
  };
  WorldMap.make(container, campaign.peek()!, hands).then(
    (made) => {
      if (isGone) return made.remove();
      world.value = made;
      unfollow = follow(made);
    },
    // Without WebGL the numbers, the feed and the charts are there all the same.
    () => {},
  );
  return () => {
    isGone = true;
    unfollow();
    world.peek()?.remove();
    world.value = null;
    cursor.value = null;
  };
}

function Legend() {
  const wanted = campaign.value!.looks_wanted;
  if (shown.value === "tags") {
    const found = tagsInView.value;
    const text = found?.isCut ? say("legend_tags_cut", { n: found.tags.length }) : say("legend_tags");
    return <p class="legend muted">{text}</p>;
  }
  return (
    <div class="legend">
      <b>{say("legend")}</b>
      <ol class="num">
        {legend(wanted).map(({ step, from, to }) => (
          <li key={step}>
            <i class={RAMP[step]!} />
            {from === to ? words.number(from) : say("legend_range", { from, to })}
          </li>
        ))}
        <li>
          <i class="p6" />
          {say("legend_done")}
        </li>
        <li class="gap">
          <i class="hatch" />
          {say("legend_bad")}
        </li>
        {(progress.value?.cells_closed ?? 0) > 0 && (
          <li class="gap">
            <i class="grey" />
            {say("legend_closed")}
          </li>
        )}
      </ol>
    </div>
  );
}

function Choice({ value, text }: { value: Shown; text: string }) {
  return (
    <button type="button" aria-pressed={shown.value === value} onClick={() => (shown.value = value)}>
      {text}
    </button>
  );
}

function Zoom() {
  return (
    <div class="zoom" role="group" aria-label={say("zoom_group")}>
      <button type="button" aria-label={say("zoom_in")} onClick={() => world.value?.zoomBy(1)}>
        <Icon name="plus" small />
      </button>
      <button type="button" aria-label={say("zoom_out")} onClick={() => world.value?.zoomBy(-1)}>
        <Icon name="minus" small />
      </button>
      <button type="button" aria-label={say("zoom_fit")} onClick={() => world.value?.wholeArea()}>
        <Icon name="fit" small />
      </button>
    </div>
  );
}

export function MapCard({ slug }: { slug: string }) {
  const container = useRef<HTMLDivElement>(null);
  const frame = useRef<HTMLDivElement>(null);
  const c = campaign.value!;
  useEffect(() => mount(container.current!), [c.id]);
  useEffect(() => {
    if (pointedAt.value) frame.current!.scrollIntoView({ block: "nearest" });
  }, [pointedAt.value]);
  useEffect(() => {
    if (sought.value) frame.current!.scrollIntoView({ block: "nearest" });
  }, [sought.value]);
  return (
    <section class="card mapcard" aria-labelledby="h-map">
      <header>
        <h2 id="h-map" class="grow">
          {say("map_title")}
        </h2>
        {key.value && (
          <div class="seg" role="group" aria-label={say("map_show")}>
            <Choice value="looks" text={say("map_looks")} />
            <Choice value="tags" text={say("map_tags")} />
          </div>
        )}
      </header>
      <div class="map" ref={frame}>
        <div
          class="canvas"
          ref={container}
          tabIndex={0}
          role="application"
          aria-label={say("map_label", {
            share: progress.value ? words.percent(wholeShare(progress.value.coverage)) : "–",
          })}
          aria-describedby="map-keys"
          onKeyDown={onKeyDown}
          onBlur={() => (cursor.value = null)}
        />
        <p class="vh" id="map-keys">
          {say("map_keys")}
        </p>
        <MapLabels world={world} moves={moves} />
        <PointedAt world={world} moves={moves} />
        <Tip world={world} moves={moves} cursor={cursor} />
        <Zoom />
      </div>
      {chosen.value && <CellCard slug={slug} back={container} />}
      <Legend />
    </section>
  );
}
