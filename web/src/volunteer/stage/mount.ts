/** Binds the static parts of the stage, which stand in the HTML already, to the state of the visit. */
import { effect } from "@preact/signals";
import { measure } from "../frame.ts";
import { say } from "../language.ts";
import { drawing, isBare, isSlow, plateState, square } from "../store.ts";
import { hover, isKeyboardAiming } from "./Aim.tsx";
import { attachMap, beginSquare, resized } from "./camera.ts";
import { followPointer } from "./gestures.ts";
import { canZoom } from "./Stage.tsx";
import { frame, isZoomed, pxPerWorld, squareBox } from "./view.ts";

const FADE_MS = 120;

function place(element: HTMLElement, x: number, y: number, side: number): void {
  Object.assign(element.style, { left: `${x}px`, top: `${y}px`, width: `${side}px`, height: `${side}px` });
}

/** Swaps the plate when the square changes; the old one fades out over the new one. */
function followSquare(plates: HTMLElement, map: HTMLElement): void {
  effect(() => {
    const plate = square.value?.plate.element;
    if (!plate || plates.contains(plate)) return;
    const old = [...plates.children];
    plates.prepend(plate);
    beginSquare(map);
    for (const element of old) {
      element.classList.add("leaving");
      setTimeout(() => element.remove(), FADE_MS);
    }
  });
}

/** Keeps plate and brackets under the view. */
function followView(plates: HTMLElement, brackets: HTMLElement): void {
  effect(() => {
    const box = squareBox.value;
    if (!box) return;
    place(brackets, box.x, box.y, box.side);
    const plate = square.value!.plate.element;
    if (!plates.contains(plate)) return;
    const { cell } = frame.value;
    place(plate, 0, 0, cell);
    plate.style.transform = `translate(${box.x}px, ${box.y}px) scale(${(pxPerWorld.value * 2 ** -square.value!.cell.z) / cell})`;
  });
}

/** Shows the aim in the middle once a key was used on the image, and hides it when a pointer takes over. */
function aimByKeyboard(map: HTMLElement): void {
  const isOnImage = () => document.activeElement === map;
  addEventListener("keydown", () => (isKeyboardAiming.value = isOnImage()));
  addEventListener("keyup", () => (isKeyboardAiming.value = isOnImage()));
  addEventListener("pointerdown", () => (isKeyboardAiming.value = false), { capture: true });
  map.addEventListener("blur", () => (isKeyboardAiming.value = false));
}

function firstImage(): Promise<void> {
  return new Promise((resolve) => {
    effect(() => {
      if (square.value && square.value.plate.state.value !== "loading") resolve();
    });
  });
}

/** Makes the stage live; resolves when MapLibre draws, or cannot. */
export async function mountStage(): Promise<void> {
  const stage = document.getElementById("stage")!;
  const map = document.getElementById("map")!;
  const plates = stage.querySelector<HTMLElement>(".plates")!;
  frame.value = measure(stage);
  followSquare(plates, map);
  followView(plates, stage.querySelector<HTMLElement>(".cell")!);
  followPointer(stage, (at) => (hover.value = at));
  aimByKeyboard(map);
  effect(() => {
    map.setAttribute("aria-label", say("image_label", { n: square.value?.number || 1 }));
    stage.setAttribute("aria-label", say("stage_label"));
    stage.classList.toggle("loading", plateState.value === "loading" && isSlow.value);
    stage.classList.toggle("bare", isBare.value);
    stage.classList.toggle("drawing", drawing.value !== null);
  });
  new ResizeObserver(() => {
    const wasHome = !isZoomed.value;
    const now = measure(stage);
    if (now.width === frame.value.width && now.height === frame.value.height && now.cell === frame.value.cell) return;
    frame.value = now;
    resized(wasHome);
  }).observe(stage);
  // MapLibre is larger than all else together: it must not compete with the first image.
  await firstImage();
  canZoom.value = await attachMap(map);
}
