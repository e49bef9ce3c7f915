import { setTimeout as sleep } from "node:timers/promises";

/** Longest wait for something that must happen, in milliseconds. */
export const DEADLINE_MS = 60_000;

/** Waits until a condition gives something that is true, and gives that; throws when it does not happen. */
export async function eventually<T>(
  what: string,
  condition: () => T | Promise<T>,
  deadlineMs = DEADLINE_MS,
): Promise<NonNullable<T>> {
  const end = Date.now() + deadlineMs;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > end) throw new Error(`it did not happen within ${deadlineMs} ms: ${what}`);
    await sleep(15);
  }
}
