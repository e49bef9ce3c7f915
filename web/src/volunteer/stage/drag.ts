/**
 * Dragging a tag, by itself or by its handle.
 *
 * Invariant: the distance between the finger and the exact spot stays what it was when the drag began, so the
 * spot is never under the finger.
 */
import { useRef } from "preact/hooks";
import { nudge } from "./camera.ts";
import { frame, type Point } from "./view.ts";

const TOLERANCE_PX = 3;
const EDGE_PX = 32;
const EDGE_STEP_PX = 6;

interface Drag {
  /** Begins at a pointer; `spot` is the dragged spot on the stage. */
  start(event: PointerEvent, spot: Point): void;
  /** True right after a drag: the click that ends it chooses nothing. */
  justDragged(): boolean;
}

function stagePoint(event: PointerEvent): Point {
  const stage = document.getElementById("stage")!.getBoundingClientRect();
  return { x: event.clientX - stage.left, y: event.clientY - stage.top };
}

/** Pans a little while the pointer is near an edge of the stage. */
function panAtEdge({ x, y }: Point): void {
  const { width, height } = frame.value;
  const push = (at: number, size: number) => (at < EDGE_PX ? -EDGE_STEP_PX : at > size - EDGE_PX ? EDGE_STEP_PX : 0);
  const [dx, dy] = [push(x, width), push(y, height)];
  if (dx || dy) nudge(dx, dy);
}

export function useDrag(onMove: (spot: Point) => void, onStart: () => void): Drag {
  const ended = useRef(-Infinity);
  return {
    justDragged: () => performance.now() - ended.current < 50,
    start(event, spot) {
      if (event.button !== 0) return;
      event.stopPropagation();
      const target = event.currentTarget as Element;
      const from = stagePoint(event);
      const offset = { x: spot.x - from.x, y: spot.y - from.y };
      let isDragging = false;
      target.setPointerCapture(event.pointerId);
      const move = (moved: PointerEvent) => {
        const at = stagePoint(moved);
        if (!isDragging && Math.hypot(at.x - from.x, at.y - from.y) < TOLERANCE_PX) return;
        if (!isDragging) onStart();
        isDragging = true;
        panAtEdge(at);
        onMove({ x: at.x + offset.x, y: at.y + offset.y });
      };
      const end = () => {
        if (isDragging) ended.current = performance.now();
        target.removeEventListener("pointermove", move as EventListener);
        target.removeEventListener("pointerup", end);
        target.removeEventListener("pointercancel", end);
      };
      target.addEventListener("pointermove", move as EventListener);
      target.addEventListener("pointerup", end);
      target.addEventListener("pointercancel", end);
    },
  };
}
