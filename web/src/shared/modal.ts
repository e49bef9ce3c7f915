/**
 * What every dialog does: it takes the focus and gives it back, Escape closes it, everything else is inert meanwhile.
 *
 * Invariant: what was inert before the dialog stays so after it.
 */
import type { RefObject } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

export interface ModalOptions {
  /** What the dialog covers. */
  rest: () => Iterable<Element>;
  /** Escape, wherever the focus has got to; absent when the dialog cannot be left so. */
  onEscape?: (() => void) | undefined;
  /** What gets the focus; the dialog itself when it is absent, so that no key presses what has just appeared. */
  first?: RefObject<HTMLElement | null>;
  /** What gets the focus afterwards when that which had it is gone. */
  back?: () => HTMLElement | null;
}

/** A page in a frame takes the focus only from itself: whoever writes beside the frame keeps it. */
function moveFocus(to: HTMLElement | null | undefined, options?: FocusOptions): void {
  if (window === window.parent || document.hasFocus()) to?.focus(options);
}

/** Makes the element of `dialog` (with `tabIndex={-1}`) modal while its component is mounted. */
export function useModal(dialog: RefObject<HTMLElement | null>, { rest, onEscape, first, back }: ModalOptions): void {
  const leave = useRef(onEscape);
  leave.current = onEscape;
  useLayoutEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    const covered = [...rest()].filter((element) => !element.hasAttribute("inert"));
    for (const element of covered) element.setAttribute("inert", "");
    moveFocus(first?.current ?? dialog.current);
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key === "Escape") leave.current?.();
    };
    document.addEventListener("keydown", onKeyDown);
    return () => {
      document.removeEventListener("keydown", onKeyDown);
      for (const element of covered) element.removeAttribute("inert");
      const target = before?.isConnected && before !== document.body ? before : back?.();
      moveFocus(target, { preventScroll: true });
    };
  }, []);
}
