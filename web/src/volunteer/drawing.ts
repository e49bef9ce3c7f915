/**
 * Placing: one tap for a point; tap after tap for a line or polygon, until its first or last point is tapped.
 *
 * Invariant: what is unfinished is part of the undo history, so Undo takes it back point by point, and it is kept
 * over a reload like the tags are.
 */
import type { LonLat } from "../shared/contract.ts";
import type { Drawing } from "./draft.ts";
import { say } from "./language.ts";
import { crossesItself, isSound, LEAST, MOST_POINTS } from "./shape.ts";
import { type Point, project } from "./stage/view.ts";
import * as store from "./store.ts";
import { add, canMark, currentSession, placeAt } from "./tagging.ts";

/** A tap so near the first or last point means that point. */
const END_PX = 16;

export type Tap = { kind: "add"; points: LonLat[] } | { kind: "end" } | { kind: "too_few" } | { kind: "crossing" };

/** What a tap means for an unfinished shape; `near` says which of its points was hit. */
export function tapOn(drawing: Drawing, at: LonLat, near: (point: LonLat) => boolean): Tap {
  const { kind, points } = drawing;
  const ends = points.length > 0 && (near(points.at(-1)!) || (kind === "Polygon" && near(points[0]!)));
  if (ends) return points.length >= LEAST[kind] ? endOf(drawing) : { kind: "too_few" };
  const longer = [...points, at];
  if (kind === "Polygon" && crossesItself(longer, false)) return { kind: "crossing" };
  return { kind: "add", points: longer };
}

function endOf({ kind, points }: Drawing): Tap {
  return isSound(kind, points) ? { kind: "end" } : { kind: "crossing" };
}

/** True when the unfinished shape has enough points to be one. */
export const canEnd = (drawing: Drawing | null): boolean =>
  drawing !== null && drawing.points.length >= LEAST[drawing.kind];

/** Marks a place of the stage with the chosen type. */
export function mark(point: Point): void {
  if (!canMark(point)) return;
  const at = placeAt(point);
  const type = store.chosenType.value;
  const { kind } = store.typeOf(type);
  if (kind === "Point") {
    add({ type, kind, points: [at] });
    return;
  }
  const drawing = store.drawing.value ?? { type, kind, points: [] };
  const isNear = (vertex: LonLat) => {
    const { x, y } = project(vertex);
    return Math.hypot(x - point.x, y - point.y) <= END_PX;
  };
  follow(drawing, tapOn(drawing, at, isNear));
}

function follow(drawing: Drawing, tap: Tap): void {
  if (tap.kind === "crossing") store.notify(say("pill_crossing"));
  else if (tap.kind === "too_few")
    store.notify(say(drawing.kind === "Polygon" ? "pill_three_points" : "pill_two_points"));
  else if (tap.kind === "end") add(drawing);
  else if (tap.points.length <= MOST_POINTS) {
    currentSession().edit({ drawing: { ...drawing, points: tap.points } });
    store.announcement.value = say("said_point", { n: tap.points.length });
  }
}

/** Ends the line or polygon that is being drawn. */
export function endDrawing(): void {
  const drawing = store.drawing.value;
  if (drawing && canEnd(drawing)) follow(drawing, endOf(drawing));
}

/** Lets go of the unfinished shape; undo brings it back. */
export function dropDrawing(): void {
  if (store.drawing.value) currentSession().edit({ drawing: null });
}

/** Chooses what the next tap marks. An unfinished shape goes on as the new type, when that is of its kind. */
export function chooseTypeByKey(type: string): void {
  store.chosenType.value = type;
  const drawing = store.drawing.value;
  if (!drawing || drawing.type === type) return;
  if (store.typeOf(type).kind === drawing.kind) currentSession().edit({ drawing: { ...drawing, type } });
  else dropDrawing();
}
