import { expect, test, vi } from "vitest";
import { Asker } from "../../src/organiser/wizard/estimate.ts";
import { isUnsaved, next, type Saving, type SavingEvent, start } from "../../src/organiser/wizard/saving.ts";
import { Problem } from "../../src/shared/api.ts";

const after = (...events: SavingEvent[]): Saving => events.reduce(next, start);
const change: SavingEvent = { type: "changed", missing: [] };
const problem = (status: number) => new Problem(status, {}, null);

test("the first word is kept on this device and says what the server lacks", () => {
  expect(after({ type: "changed", missing: ["area"] })).toMatchObject({ at: "incomplete", missing: ["area"] });
});

test("saved is only said for the newest change", () => {
  const stored = (of: number): SavingEvent => ({ type: "stored", change: of, time: 5 });
  expect(after(change, { type: "sent" }, stored(1))).toMatchObject({ at: "saved", time: 5 });
  expect(after(change, { type: "sent" }, change, stored(1)).at).toBe("waiting");
});

test("without a network it is not saved, and will be tried again", () => {
  const offline = after(change, { type: "sent" }, { type: "failed", change: 1, problem: problem(0) });
  expect(offline.at).toBe("offline");
  expect(isUnsaved(offline)).toBe(true);
});

test("an overloaded server is tried again, a refusal is not", () => {
  const failed = (status: number) => after(change, { type: "failed", change: 1, problem: problem(status) });
  expect([failed(503).at, failed(422).at]).toEqual(["trouble", "refused"]);
  expect(isUnsaved(failed(422))).toBe(false);
});

test("a conflict stays, whatever is typed, until somebody decides", () => {
  const conflict = after(change, { type: "failed", change: 1, problem: problem(412) });
  expect(conflict.at).toBe("conflict");
  expect([change, { type: "sent" } as const].reduce(next, conflict).at).toBe("conflict");
  expect(next(conflict, { type: "resolved" }).at).toBe("waiting");
});

test("a device that keeps nothing is remembered through all states", () => {
  expect(after({ type: "kept", isKept: false }, change).isKept).toBe(false);
});

test("only the newest estimate is asked for, and an outdated answer is ignored", async () => {
  vi.useFakeTimers();
  const answers: ((value: string) => void)[] = [];
  const settled: (string | null)[] = [];
  const asker = new Asker<string>(
    () => new Promise((resolve) => answers.push(resolve)),
    (answer) => settled.push(answer),
  );
  asker.want({ looks_wanted: 1 });
  vi.advanceTimersByTime(200);
  asker.want({ looks_wanted: 2 });
  vi.advanceTimersByTime(299);
  expect(answers).toHaveLength(0);
  vi.advanceTimersByTime(1);
  asker.want({ looks_wanted: 3 });
  vi.advanceTimersByTime(300);
  expect(answers).toHaveLength(2);
  answers[0]!("old");
  answers[1]!("new");
  await vi.runAllTimersAsync();
  expect(settled).toEqual(["new"]);
  vi.useRealTimers();
});
