/** What hands do to tags: place, choose, move, change, remove; each one step of undo. */
import type { LonLat } from "../shared/contract.ts";
import { uuid7 } from "../shared/uuid7.ts";
import type { DraftTag } from "./draft.ts";
import { say } from "./language.ts";
import type { Session } from "./session.ts";
import { anchorOf, isSound, LEAST } from "./shape.ts";
import { clampToSquare, isInSquare, type Point, project, unproject } from "./stage/view.ts";
import * as store from "./store.ts";

const MOST_TAGS = 100;

let session: Session;

export function useSession(current: Session): void {
  session = current;
}

export const currentSession = (): Session => session;

const tagOf = (id: string) => store.tags.value.find((tag) => tag.id === id);

function change(id: string, part: Partial<DraftTag>, merge: string | null = null): void {
  session.edit({ tags: store.tags.value.map((tag) => (tag.id === id ? { ...tag, ...part } : tag)) }, merge);
}

/** Degrees with a resolution of about a centimetre: more would be noise. */
function rounded([lon, lat]: LonLat): LonLat {
  return [Math.round(lon * 1e7) / 1e7, Math.round(lat * 1e7) / 1e7];
}

export const placeAt = (point: Point): LonLat => rounded(unproject(clampToSquare(point)));

/** Whether a place of the stage can be marked now; says why when it cannot. */
export function canMark(point: Point): boolean {
  if (!store.isReady.value || store.isBare.value) return false;
  if (!isInSquare(point)) {
    outside();
    return false;
  }
  if (store.tags.value.length < MOST_TAGS) return true;
  store.notify(say("pill_too_many", { n: MOST_TAGS }));
  return false;
}

function outside(): void {
  store.notify(say("pill_outside"));
  const brackets = document.querySelector(".cell");
  brackets?.classList.remove("pulse");
  // Reading the layout restarts the animation when it still runs.
  void (brackets as HTMLElement | null)?.offsetWidth;
  brackets?.classList.add("pulse");
}

/** Adds a tag; with it the drawing that it came from ends. */
export function add(tag: Pick<DraftTag, "type" | "kind" | "points">): void {
  session.edit({ tags: [...store.tags.value, { ...tag, id: uuid7(), note: "" }], drawing: null });
  store.announcement.value = say("said_tagged", { type: store.typeOf(tag.type).name.text, n: store.tags.value.length });
}

export function choose(id: string | null): void {
  store.chosenTag.value = id;
  store.chosenVertex.value = null;
}

export function remove(id: string): void {
  session.edit({ tags: store.tags.value.filter((tag) => tag.id !== id) });
  store.announcement.value = say("said_removed");
}

/**
 * Moves a tag so that its sign is at a point of the stage; a shape only as far as all of it stays in the square.
 * Calls with the same gesture are one undo.
 */
export function moveTo(id: string, point: Point, gesture: string): void {
  const tag = tagOf(id);
  if (!tag) return;
  const from = project(anchorOf(tag));
  const moved = tag.points.map(project).map(({ x, y }) => ({ x: x + point.x - from.x, y: y + point.y - from.y }));
  if (tag.kind !== "Point" && !moved.every(isInSquare)) return;
  change(id, { points: moved.map(placeAt) }, `move ${id} ${gesture}`);
}

export function moveBy(id: string, dx: number, dy: number): void {
  const tag = tagOf(id);
  if (!tag) return;
  const { x, y } = project(anchorOf(tag));
  moveTo(id, { x: x + dx, y: y + dy }, "keys");
}

/** Gives a line or polygon other vertices; false, and said why, when it would cross itself. */
export function reshape(id: string, points: readonly LonLat[], gesture: string | null): boolean {
  const tag = tagOf(id);
  if (!tag) return false;
  if (!isSound(tag.kind, points)) {
    if (points.length >= LEAST[tag.kind]) store.notify(say("pill_crossing"));
    return false;
  }
  change(id, { points }, gesture && `shape ${id} ${gesture}`);
  return true;
}

export function setType(id: string, type: string): void {
  change(id, { type });
  store.announcement.value = say("said_changed");
}

export function setNote(id: string, note: string): void {
  change(id, { note }, `note ${id}`);
}

/** Radius of agreement in CSS pixels, or null where drawing it would only confuse. */
export function agreementPx(metresPerPx: number, squarePx: number): number | null {
  const radius = (store.campaign.value?.agreement_radius_m ?? 0) / metresPerPx;
  return radius < 10 || radius > squarePx / 2 ? null : radius;
}
