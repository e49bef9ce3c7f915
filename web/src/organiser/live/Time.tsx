/** Times and people as the live page names them. */
import { ago, say } from "../language.ts";
import { type Duration, duration, longDuration } from "./ages.ts";
import { clock, slowClock } from "./state.ts";

/** Older than this nobody counts seconds. */
const SECONDS_COUNT_MS = 60_000;
/** From the end of the id: its beginning is a time, which newcomers of one hour share. */
const WHO_SIGNS = 4;

/** "23 s ago", and the time of the clock when one points at it. */
export function Ago({ iso }: { iso: string }) {
  const isYoung = slowClock.value - Date.parse(iso) < SECONDS_COUNT_MS;
  return <time dateTime={iso}>{ago(iso, isYoung ? clock.value : slowClock.value)}</time>;
}

export const who = (volunteerId: string) => volunteerId.slice(-WHO_SIGNS);

const spoken = ({ key, holes }: Duration) => say(key, holes);
export const seconds = (count: number) => spoken(duration(count));
export const minutes = (count: number) => spoken(longDuration(count));
