/** A question over the live page: it takes the focus, and Escape or a press beside it leaves it. */
import type { ComponentChildren, RefObject } from "preact";
import { useRef } from "preact/hooks";
import { useModal } from "../../shared/modal.ts";

interface DialogProps {
  title: string;
  text: string;
  /** What gets the focus first. */
  first: RefObject<HTMLElement | null>;
  onSubmit: () => void;
  onLeave: () => void;
  /** What gets the focus afterwards when that which had it is gone. */
  back?: () => HTMLElement | null;
  children: ComponentChildren;
}

export function Dialog({ title, text, first, onSubmit, onLeave, back, children }: DialogProps) {
  const box = useRef<HTMLDivElement>(null);
  useModal(box, {
    rest: () => document.querySelectorAll("#page > :not(.veil)"),
    onEscape: onLeave,
    first,
    // What opened it may be gone: "Pause" once the campaign is paused, a cell once it left its list.
    back: back ?? (() => document.querySelector<HTMLElement>(".acts button")),
  });
  const submit = (event: Event) => {
    event.preventDefault();
    onSubmit();
  };
  return (
    <div class="veil" onClick={(event) => event.target === event.currentTarget && onLeave()}>
      <div
        class="dlg"
        role="alertdialog"
        aria-modal="true"
        aria-labelledby="dlg-title"
        aria-describedby="dlg-text"
        tabIndex={-1}
        ref={box}
      >
        <form onSubmit={submit}>
          <h2 id="dlg-title">{title}</h2>
          <p id="dlg-text" class="num">
            {text}
          </p>
          {children}
        </form>
      </div>
    </div>
  );
}
