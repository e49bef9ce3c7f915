/**
 * Taps and clicks on the image. Dragging and pinching are MapLibre's.
 *
 * Invariant: a tap is one pointer that went down and up in nearly the same place; there is no long press and no
 * double tap, so two quick taps are two tags.
 */

import { mark } from "../drawing.ts";
import { chosenTag } from "../store.ts";
import { choose } from "../tagging.ts";
import type { Point } from "./view.ts";

const TOLERANCE_PX = { mouse: 6, pen: 8, touch: 10 };

/** The pointer's place over the image while it hovers, else null. */
export type HoverListener = (at: Point | null) => void;

/** Takes the focus, and a phone's keyboard, away from a note that was being written. */
function leaveField(): void {
  const focused = document.activeElement;
  if (focused instanceof HTMLElement && focused.matches("input, select")) focused.blur();
}

export function followPointer(stage: HTMLElement, onHover: HoverListener): void {
  const down = new Map<number, Point>();
  let isGesture = false;
  const at = (event: PointerEvent): Point => {
    const box = stage.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  const isOnImage = (event: Event) => (event.target as Element).closest("#map") !== null;

  stage.addEventListener("pointerdown", (event) => {
    if (!isOnImage(event) || event.button !== 0) return;
    if (down.size === 0) isGesture = false;
    down.set(event.pointerId, at(event));
    if (down.size > 1) isGesture = true;
  });
  const lift = (event: PointerEvent) => {
    const from = down.get(event.pointerId);
    down.delete(event.pointerId);
    return from;
  };
  addEventListener("pointercancel", lift);
  addEventListener("pointerup", (event) => {
    const from = lift(event);
    if (!from || isGesture) return;
    const to = at(event);
    const tolerance = TOLERANCE_PX[event.pointerType as keyof typeof TOLERANCE_PX] ?? TOLERANCE_PX.touch;
    if (Math.hypot(to.x - from.x, to.y - from.y) > tolerance) return;
    leaveField();
    // While a tag is chosen, a tap elsewhere only leaves it.
    if (chosenTag.value) choose(null);
    else mark(to);
  });
  // A tap would also become a click, and land on the marker that it has just placed.
  stage.addEventListener("touchend", (event) => isOnImage(event) && event.cancelable && event.preventDefault(), {
    passive: false,
  });
  stage.addEventListener("pointermove", (event) => {
    if (event.pointerType === "mouse") onHover(isOnImage(event) ? at(event) : null);
  });
  stage.addEventListener("pointerleave", () => onHover(null));
}
