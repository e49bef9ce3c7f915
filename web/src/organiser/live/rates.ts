/**
 * Looks per minute over time, as points of a chart.
 *
 * Invariant: nothing is made up. A step without looks is 0, a step that is not over or lies before the first look
 * is a gap; values are neither smoothed nor continued.
 */
import type { Rates } from "../../shared/contract.ts";

/** More steps than any screen has columns. */
const MOST_STEPS = 3000;

export interface Point {
  /** Beginning of the step, in ms. */
  at: number;
  /** Null: not known. */
  perMinute: number | null;
}

export interface Series {
  stepMs: number;
  from: number;
  to: number;
  points: Point[];
}

/** What is known at `asOf`; before `since`, the first look, there was nothing to count. */
export function series(rates: Rates, asOf: string, since: string | null): Series {
  const stepMs = rates.step_seconds * 1000;
  const [from, to, known] = [Date.parse(rates.from), Date.parse(rates.to), Date.parse(asOf)];
  const first = since === null ? Infinity : Date.parse(since);
  const looks = new Map(rates.points.map((point) => [Date.parse(point.start), point.looks]));
  const start = Math.floor(from / stepMs) * stepMs;
  const count = Math.min(MOST_STEPS, Math.max(0, Math.ceil((to - start) / stepMs)));
  const points = Array.from({ length: count }, (_, i): Point => {
    const at = start + i * stepMs;
    const isKnown = at + stepMs <= known && at + stepMs > first && at >= from;
    return { at, perMinute: isKnown ? ((looks.get(at) ?? 0) * 60) / rates.step_seconds : null };
  });
  return { stepMs, from, to, points };
}

/** Runs of known points; between two runs there is a gap. */
export function runs(points: readonly Point[]): Point[][] {
  const found: Point[][] = [];
  let isOpen = false;
  for (const point of points) {
    if (point.perMinute === null) isOpen = false;
    else if (isOpen) found.at(-1)!.push(point);
    else {
      found.push([point]);
      isOpen = true;
    }
  }
  return found;
}

export interface Extent {
  low: number;
  high: number;
  last: number;
}

export function extent(points: readonly Point[]): Extent | null {
  const known = points.flatMap((point) => (point.perMinute === null ? [] : [point.perMinute]));
  if (known.length === 0) return null;
  return { low: Math.min(...known), high: Math.max(...known), last: known.at(-1)! };
}

const MOST_LINES = 4;

/** Values of at most four gridlines, from 0; whole steps of 1, 2 or 5. */
export function gridlines(most: number): number[] {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, most)));
  const steps = [0.1, 0.2, 0.5, 1, 2, 5].map((n) => Math.max(1, n * power));
  const step = steps.find((n) => Math.floor(most / n) < MOST_LINES)!;
  return Array.from({ length: Math.floor(most / step) + 1 }, (_, i) => i * step);
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const TICK_STEPS = [1, 5, 15, 30]
  .map((n) => n * MINUTE)
  .concat(
    [1, 3, 6, 12].map((n) => n * HOUR),
    [1, 2, 7, 14, 28, 91, 182].map((n) => n * DAY),
  );

/** Round times of the reader's clock between two times: five at most. `offsetMs`: what that clock is ahead of UTC. */
export function timeTicks(from: number, to: number, offsetMs: number): { step: number; ticks: number[] } {
  const step = TICK_STEPS.find((candidate) => (to - from) / candidate <= 5) ?? (to - from) / 5;
  const first = Math.ceil((from + offsetMs) / step) * step - offsetMs;
  const ticks = [];
  for (let at = first; at <= to; at += step) ticks.push(at);
  return { step, ticks };
}
