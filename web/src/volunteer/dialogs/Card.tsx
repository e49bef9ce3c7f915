/**
 * A card over the image. It takes the focus and gives it back; everything else is inert meanwhile.
 */
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { useModal } from "../../shared/modal.ts";
import { Icon } from "../../shared/symbols.tsx";
import { say } from "../language.ts";

const REST = ["stage", "top", "dock", "skip"];

interface CardProps {
  /** An alert interrupts; a dialog was asked for, and Escape closes it. */
  role: "dialog" | "alertdialog";
  title: ComponentChildren;
  wide?: boolean;
  narrow?: boolean;
  middle?: boolean;
  /** The sheet of the first visit, behind which the image stays bright. */
  isFirst?: boolean;
  sign?: ComponentChildren;
  onClose?: (() => void) | undefined;
  children: ComponentChildren;
}

/** The dock keeps its place and its height, but looks as if it slept. */
function useSleepingDock(): void {
  useLayoutEffect(() => {
    const dock = document.getElementById("dock");
    dock?.classList.add("asleep");
    return () => dock?.classList.remove("asleep");
  }, []);
}

export function Card({ role, title, wide, narrow, middle, isFirst, sign, onClose, children }: CardProps) {
  const card = useRef<HTMLDivElement>(null);
  useModal(card, {
    rest: () => REST.flatMap((id) => document.getElementById(id) ?? []),
    onEscape: onClose,
    back: () => document.getElementById("map"),
  });
  useSleepingDock();
  return (
    <div
      class={`veil${middle ? " mid" : ""}${isFirst ? " first-sheet" : ""}`}
      onClick={(event) => event.target === event.currentTarget && onClose?.()}
    >
      <div
        class={`card${wide ? " wide" : ""}${narrow ? " narrow" : ""}`}
        role={role}
        aria-modal="true"
        aria-labelledby="card-title"
        tabIndex={-1}
        ref={card}
      >
        {sign}
        <div class="row">
          <h2 id="card-title" class="grow">
            {title}
          </h2>
          {onClose && (
            <button type="button" class="icon-btn" aria-label={say("close")} onClick={onClose}>
              <Icon name="close" />
            </button>
          )}
        </div>
        {children}
      </div>
    </div>
  );
}
