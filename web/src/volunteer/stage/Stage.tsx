/** Everything drawn over the image, in the order in which the keyboard reaches it. */
import { signal } from "@preact/signals";
import { isSlow, plateState, square } from "../store.ts";
import { Aim } from "./Aim.tsx";
import { Furniture } from "./Furniture.tsx";
import { Markers } from "./Markers.tsx";
import { Pill } from "./Pill.tsx";
import { Shapes } from "./Shapes.tsx";
import { TagCard } from "./TagCard.tsx";

/** False until MapLibre has arrived, and where it cannot run. */
export const canZoom = signal(false);

export function Stage() {
  const isLoading = square.value !== null && plateState.value === "loading" && isSlow.value;
  return (
    <>
      {isLoading && (
        <div class="load">
          <i />
        </div>
      )}
      <Shapes />
      <Markers />
      <Aim />
      <TagCard />
      <Pill />
      <Furniture canZoom={canZoom.value} />
    </>
  );
}
