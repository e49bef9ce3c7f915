/**
 * The keyboard, where no field has the focus.
 *
 * Invariant: single-key shortcuts can be switched off (WCAG 2.1.4); the arrows, Enter and Ctrl+Z then still work
 * on the image.
 */
import { badImage, chooseType, finish, hasChosenTag, isLooking, open, redo, skip, undo } from "./actions.ts";
import { dropDrawing, mark } from "./drawing.ts";
import { panBy, showWhole, zoomBy } from "./stage/camera.ts";
import { crosshair, frame } from "./stage/view.ts";
import { block, canUndo, drawing, hasShortcuts, isBare } from "./store.ts";
import { choose } from "./tagging.ts";

const ARROWS: Record<string, [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

function isField(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches("input, textarea, select, [contenteditable]");
}

/** A button that was reached by keyboard keeps Space and Enter for itself; the palette needs neither. */
function ownsSpace(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches("button:not([role=radio]):not(.go), a, summary");
}

function pan(event: KeyboardEvent): boolean {
  const direction = ARROWS[event.key];
  const target = event.target as Element;
  if (!direction || target.matches("[role=radio], .tag")) return false;
  const part = event.shiftKey ? 30 : 4;
  panBy((direction[0] * frame.value.width) / part, (direction[1] * frame.value.height) / part);
  return true;
}

function onImageKey(event: KeyboardEvent): boolean {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z") {
    if (event.shiftKey) redo();
    else undo();
    return true;
  }
  if (event.ctrlKey || event.metaKey || event.altKey) return false;
  if (event.key === "Enter" && (event.target as Element).id === "map") {
    if (!event.repeat) mark(crosshair.value);
    return true;
  }
  if (event.key === "Escape" && hasChosenTag()) {
    choose(null);
    return true;
  }
  if (event.key === "Escape" && drawing.value) {
    dropDrawing();
    return true;
  }
  return pan(event);
}

/** On the card after the last square Undo alone still works. */
function isUndo(event: KeyboardEvent): boolean {
  if (event.key.toLowerCase() !== "z" || event.shiftKey || event.altKey) return false;
  return event.ctrlKey || event.metaKey || hasShortcuts.value;
}

const SINGLE: Record<string, () => void> = {
  "+": () => zoomBy(1),
  "=": () => zoomBy(1),
  "-": () => zoomBy(-1),
  "−": () => zoomBy(-1),
  "0": showWhole,
  "?": () => open("keys"),
};

/** Those that a key held down must not repeat. */
const ONCE: Record<string, () => void> = { x: badImage, s: skip, h: () => (isBare.value = true) };

function onSingleKey(event: KeyboardEvent): boolean {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (key === " ") {
    if (ownsSpace(event.target)) return false;
    if (!event.repeat) finish();
    return true;
  }
  if (key === "z") {
    if (event.shiftKey) redo();
    else undo();
    return true;
  }
  if (/^[1-9]$/.test(key)) {
    chooseType(Number(key));
    return true;
  }
  if (key in ONCE) {
    if (!event.repeat) ONCE[key]!();
    return true;
  }
  if (!(key in SINGLE)) return false;
  SINGLE[key]!();
  return true;
}

export function listenToKeys(): void {
  addEventListener("keydown", (event) => {
    if (event.defaultPrevented || isField(event.target)) return;
    if (block.value) {
      if (isUndo(event) && canUndo.value) undo();
      return;
    }
    if (!isLooking()) return;
    const wasPlain = !event.ctrlKey && !event.metaKey && !event.altKey;
    if (onImageKey(event) || (wasPlain && hasShortcuts.value && onSingleKey(event))) event.preventDefault();
  });
  // Space acts on keydown; without this the browser would also click a focused primary button on keyup.
  addEventListener("keyup", (event) => {
    if (event.key.toLowerCase() === "h") isBare.value = false;
    if (event.key === " " && hasShortcuts.value && (event.target as Element).matches?.(".go, [role=radio]"))
      event.preventDefault();
  });
  addEventListener("blur", () => (isBare.value = false));
}
