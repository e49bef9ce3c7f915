/** What the buttons and keys of the panel do. */
import { chooseTypeByKey, endDrawing } from "./drawing.ts";
import { chosenTag, type DialogName, dialog, drawing, palette, square, tags } from "./store.ts";
import { currentSession } from "./tagging.ts";

/** The one primary action: end the unfinished shape, else answer with the tags, or that there is nothing. */
export function finish(): void {
  if (drawing.value) endDrawing();
  else void currentSession().finish(tags.value.length > 0 ? "tagged" : "nothing");
}

export function skip(): void {
  dialog.value = null;
  void currentSession().finish("skipped");
}

export function badImage(): void {
  dialog.value = null;
  void currentSession().finish("bad_imagery");
}

export function undo(): void {
  void currentSession().undo();
}

export function redo(): void {
  void currentSession().redo();
}

export function open(name: DialogName): void {
  dialog.value = name;
}

/** Chooses the n-th tag type of the palette, counted from 1. */
export function chooseType(n: number): void {
  const type = palette.value[n - 1];
  if (type) chooseTypeByKey(type.key);
}

/** True when nothing but the image has the hands' attention. */
export const isLooking = (): boolean => dialog.value === null && square.value !== null;

export const hasChosenTag = (): boolean => chosenTag.value !== null;
