/**
 * How old numbers are, how long it will take, how much is done: never finer, and never better, than is known.
 *
 * Invariant: what is not known is null, never 0.
 */
import type { Progress } from "../../shared/contract.ts";
import { isAllSearched } from "../../shared/progress.ts";

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Before there are so many seconds of looks, a pace means nothing. */
const LEAST_SECONDS_OF_DATA = 10 * MINUTE;
/** Numbers are asked for every 5 s; until this age nothing is wrong. */
export const LATE_SECONDS = 15;

/** A key of the catalogue with its holes. */
export type Duration =
  | { key: "seconds" | "minutes" | "hours" | "days"; holes: { n: number } }
  | { key: "hours_minutes"; holes: { h: number; m: number } }
  | { key: "days_hours"; holes: { d: number; h: number } };

/** "12 s", "40 min", "2 h 14 min", "3 d 4 h". */
export function duration(seconds: number): Duration {
  if (seconds < 2 * MINUTE) return { key: "seconds", holes: { n: Math.floor(seconds) } };
  return longDuration(seconds);
}

/** The same without seconds: one minute at least. */
export function longDuration(seconds: number): Duration {
  const minutes = Math.max(1, Math.floor(seconds / MINUTE));
  if (seconds < HOUR) return { key: "minutes", holes: { n: minutes } };
  if (seconds < DAY) {
    const [h, m] = [Math.floor(minutes / 60), minutes % 60];
    return m ? { key: "hours_minutes", holes: { h, m } } : { key: "hours", holes: { n: h } };
  }
  const [d, h] = [Math.floor(seconds / DAY), Math.floor((seconds % DAY) / HOUR)];
  return h ? { key: "days_hours", holes: { d, h } } : { key: "days", holes: { n: d } };
}

export type Outlook =
  | { kind: "soon"; seconds: number }
  | { kind: "done" }
  /** Nobody has looked, or not long enough to tell a pace. */
  | { kind: "early" }
  /** There was a pace, and there is none now. */
  | { kind: "still" };

/** When every cell will have its looks, if people keep this pace. */
export function outlook(progress: Progress): Outlook {
  if (isAllSearched(progress)) return { kind: "done" };
  const seen = progress.first_look_at && Date.parse(progress.as_of) - Date.parse(progress.first_look_at);
  if (!seen || seen < LEAST_SECONDS_OF_DATA * 1000) return { kind: "early" };
  if (!progress.looks_per_minute) return { kind: "still" };
  return { kind: "soon", seconds: coarse((progress.looks_missing / progress.looks_per_minute) * MINUTE) };
}

/** Rounded up to what an estimate deserves: minutes, then five, then whole hours, then whole days. */
export function coarse(seconds: number): number {
  const step = seconds < HOUR ? MINUTE : seconds < 6 * HOUR ? 5 * MINUTE : seconds < 2 * DAY ? HOUR : DAY;
  return Math.max(1, Math.ceil(seconds / step)) * step;
}

/** A share in whole per cent, rounded down: nothing is 100 % before it is done. */
export const wholeShare = (share: number) => Math.floor(share * 100 + 1e-9) / 100;

export interface Lateness {
  /** `updates`: nothing comes; `counting`: the server comes late with its sums. */
  kind: "updates" | "counting";
  seconds: number;
}

/** Whether the page must say how old its numbers are. Both times by this device's clock. */
export function lateness(asOf: number | null, isFailing: boolean, now: number): Lateness | null {
  if (asOf === null) return null;
  const seconds = Math.floor((now - asOf) / 1000);
  if (seconds < LATE_SECONDS) return null;
  return { kind: isFailing ? "updates" : "counting", seconds };
}
