/** Small pieces of text: **bold** parts, texts in another language, moments left. */
import type { ComponentChildren } from "preact";
import type { Localised } from "../shared/locale.ts";
import { say } from "./language.ts";

/** A sentence of the catalogue; its **marked** parts are bold. */
export function Rich({ text }: { text: string }) {
  return <>{text.split("**").map((part, i) => (i % 2 ? <b key={i}>{part}</b> : part))}</>;
}

/** A campaign's text, marked with its language when that is not the page's. */
export function Said({ of, children }: { of: Localised; children?: ComponentChildren }) {
  if (!of.lang || of.lang === document.documentElement.lang) return <>{children ?? of.text}</>;
  return <span lang={of.lang}>{children ?? of.text}</span>;
}

/** "12 s" or "3 min" until a moment. */
export function timeLeft(until: number, now: number): string {
  const seconds = Math.max(0, Math.ceil((until - now) / 1000));
  return seconds < 90 ? say("seconds_short", { n: seconds }) : say("minutes_short", { n: Math.round(seconds / 60) });
}
