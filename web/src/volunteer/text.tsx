/** Small pieces of text: **bold** parts, texts in another language, moments left. */
import { type Localised, reader } from "../shared/locale.ts";
import { say } from "./language.ts";

/** A sentence of the catalogue; its **marked** parts are bold. */
export function Rich({ text }: { text: string }) {
  return <>{text.split("**").map((part, i) => (i % 2 ? <b key={i}>{part}</b> : part))}</>;
}

const primary = (language: string) => language.split("-")[0];

/** A campaign's text; marked with its language, and set apart in its own direction, when that is not the page's. */
export function Said({ of }: { of: Localised }) {
  if (!of.lang || primary(of.lang) === primary(reader.value.locale)) return <>{of.text}</>;
  return <bdi lang={of.lang}>{of.text}</bdi>;
}

/** "12 s" or "3 min" until a moment. */
export function timeLeft(until: number, now: number): string {
  const seconds = Math.max(0, Math.ceil((until - now) / 1000));
  return seconds < 90 ? say("seconds_short", { n: seconds }) : say("minutes_short", { n: Math.round(seconds / 60) });
}
