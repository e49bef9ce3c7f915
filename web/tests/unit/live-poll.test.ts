/** When the live page asks: rhythm, rest, failures. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Poller, type Task } from "../../src/organiser/live/poll.ts";
import { Problem } from "../../src/shared/api.ts";

let calls: number;
let failure: Problem | null;
let retries: (number | null)[];
const task: Task = {
  everyMs: 5000,
  onRetry: (at) => retries.push(at),
  run: async () => {
    calls += 1;
    if (failure) throw failure;
  },
};

const away = (status: number, retryAfterMs: number | null = null) => new Problem(status, {}, retryAfterMs);
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, "random").mockReturnValue(0);
  calls = 0;
  failure = null;
  retries = [];
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

function started(...tasks: Task[]): Poller {
  const poller = new Poller(tasks.length ? tasks : [task]);
  poller.show(true);
  return poller;
}

test("a task runs at once and then in its rhythm", async () => {
  started();
  await pass(0);
  expect(calls).toBe(1);
  await pass(10_000);
  expect(calls).toBe(3);
});

test("nothing runs while the page is hidden, and at once when it is seen again", async () => {
  const poller = started();
  await pass(0);
  poller.show(false);
  await pass(3_600_000);
  expect(calls).toBe(1);
  poller.show(true);
  await pass(0);
  expect(calls).toBe(2);
});

test("nothing runs after it was stopped", async () => {
  const poller = started();
  await pass(0);
  poller.stop();
  poller.soon(task);
  poller.show(true);
  await pass(60_000);
  expect(calls).toBe(1);
});

test("an answer that comes after the end is known to be unwanted", async () => {
  let isWanted: boolean | null = null;
  const slow: Task = {
    everyMs: 1000,
    run: async (isCurrent) => {
      await new Promise((resolve) => setTimeout(resolve, 500));
      isWanted = isCurrent();
    },
  };
  const poller = started(slow);
  await pass(100);
  poller.stop();
  await pass(1000);
  expect(isWanted).toBe(false);
});

test("a task never runs twice at the same time, and once more when it was asked for meanwhile", async () => {
  let running = 0;
  let most = 0;
  const slow: Task = {
    everyMs: 60_000,
    run: async () => {
      calls += 1;
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setTimeout(resolve, 500));
      running -= 1;
    },
  };
  const poller = started(slow);
  await pass(100);
  poller.soon(slow);
  poller.soon(slow);
  await pass(2000);
  expect([calls, most]).toEqual([2, 1]);
});

test("failures double the wait up to a bound, and a success ends that", async () => {
  failure = away(0);
  started();
  await pass(0);
  await pass(5000 + 5000 + 5000);
  expect(calls).toBe(4);
  await pass(7999);
  expect(calls).toBe(4);
  await pass(1);
  expect(calls).toBe(5);
  await pass(600_000);
  expect(calls).toBeGreaterThan(20);
  failure = null;
  await pass(40_000);
  const before = calls;
  await pass(5000);
  expect(calls).toBe(before + 1);
  expect(retries.at(-1)).toBeNull();
  expect(retries[0]).toBeTypeOf("number");
});

test("a Retry-After holds all tasks back", async () => {
  let others = 0;
  const other: Task = {
    everyMs: 2000,
    run: async () => {
      others += 1;
    },
  };
  failure = away(503, 30_000);
  started(task, other);
  await pass(0);
  const before = others;
  await pass(29_000);
  expect([calls, others]).toEqual([1, before]);
  failure = null;
  await pass(2000);
  expect(calls).toBe(2);
  expect(others).toBeGreaterThan(before);
});

test("when the network is back nothing waits any longer", async () => {
  failure = away(503, 300_000);
  const poller = started();
  await pass(0);
  failure = null;
  poller.allSoon();
  await pass(0);
  expect(calls).toBe(2);
});
