/**
 * A card over the image. It takes the focus and gives it back; everything else is inert meanwhile.
 */
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
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

function setInert(isInert: boolean): void {
  for (const id of REST) document.getElementById(id)?.toggleAttribute("inert", isInert);
  document.getElementById("dock")?.classList.toggle("asleep", isInert);
}

export function Card({ role, title, wide, narrow, middle, isFirst, sign, onClose, children }: CardProps) {
  const card = useRef<HTMLDivElement>(null);
  const close = useRef(onClose);
  close.current = onClose;
  useLayoutEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    setInert(true);
    // The card itself, not its button: a key meant for the image must not press what has just appeared.
    card.current!.focus();
    // On the document: Escape closes the card wherever the focus has got to.
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key === "Escape") close.current?.();
    };
    document.addEventListener("keydown", onKeyDown);
    return () => {
      document.removeEventListener("keydown", onKeyDown);
      setInert(false);
      const target = before?.isConnected && before !== document.body ? before : document.getElementById("map");
      target?.focus({ preventScroll: true });
    };
  }, []);
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
