import { expect, test } from "vitest";
import { inTurns } from "../../src/shared/turns.ts";

test("so many at once, and what became of each in order", async () => {
  let under = 0;
  let most = 0;
  const done = await inTurns([5, 1, 0, 2, 3], 2, async (ms) => {
    most = Math.max(most, ++under);
    await new Promise((resolve) => setTimeout(resolve, ms));
    under--;
    if (ms === 0) throw new Error("no");
  });
  expect(most).toBe(2);
  expect(done).toEqual([true, true, false, true, true]);
});

test("without a limit all begin together, and nothing to do is done", async () => {
  expect(await inTurns([], Infinity, async () => {})).toEqual([]);
  expect(await inTurns([1, 2], Infinity, async () => {})).toEqual([true, true]);
});
