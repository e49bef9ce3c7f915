/** What hands do to tags: place, choose, move, change, remove; each one step of undo. */
import { uuid7 } from "../shared/uuid7.ts";
import { say } from "./language.ts";
import type { Session } from "./session.ts";
import { clampToSquare, isInSquare, type Point, project, unproject } from "./stage/view.ts";
import * as store from "./store.ts";

const MOST_TAGS = 100;

let session: Session;

export function useSession(current: Session): void {
  session = current;
}

export const currentSession = (): Session => session;

function change(id: string, part: Partial<store.DraftTag>, merge: string | null = null): void {
  session.edit(
    store.tags.value.map((tag) => (tag.id === id ? { ...tag, ...part } : tag)),
    merge,
  );
}

/** Degrees with a resolution of about a centimetre: more would be noise. */
function rounded([lon, lat]: [number, number]): [number, number] {
  return [Math.round(lon * 1e7) / 1e7, Math.round(lat * 1e7) / 1e7];
}

/** Puts a tag of the chosen type at a point of the stage. */
export function place(point: Point): void {
  if (!store.isReady.value || store.isBare.value) return;
  if (!isInSquare(point)) {
    outside();
    return;
  }
  if (store.tags.value.length >= MOST_TAGS) {
    store.notify(say("pill_too_many", { n: MOST_TAGS }));
    return;
  }
  const tag = { id: uuid7(), type: store.chosenType.value, at: rounded(unproject(point)), note: "" };
  session.edit([...store.tags.value, tag]);
  store.announcement.value = say("said_tagged", { type: store.typeOf(tag.type).name.text, n: store.tags.value.length });
}

function outside(): void {
  store.notify(say("pill_outside"));
  const brackets = document.querySelector(".cell");
  brackets?.classList.remove("pulse");
  // Reading the layout restarts the animation when it still runs.
  void (brackets as HTMLElement | null)?.offsetWidth;
  brackets?.classList.add("pulse");
}

export function choose(id: string | null): void {
  store.chosenTag.value = id;
}

export function remove(id: string): void {
  session.edit(store.tags.value.filter((tag) => tag.id !== id));
  store.announcement.value = say("said_removed");
}

/** Moves a tag to a point of the stage; calls with the same gesture are one undo. */
export function moveTo(id: string, point: Point, gesture: string): void {
  change(id, { at: rounded(unproject(clampToSquare(point))) }, `move ${id} ${gesture}`);
}

export function moveBy(id: string, dx: number, dy: number): void {
  const tag = store.tags.value.find((candidate) => candidate.id === id);
  if (!tag) return;
  const { x, y } = project(tag.at);
  moveTo(id, { x: x + dx, y: y + dy }, "keys");
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
