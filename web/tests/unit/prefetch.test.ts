/** Fetching ahead on the live page: what the button does, what the numbers say, when the server is asked. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import {
  act,
  actOf,
  actTrouble,
  forgetPrefetch,
  hasGaps,
  isLeftAlone,
  isUnattended,
  notHad,
  prefetch,
  prefetchTask,
  readTrouble,
  shareOf,
} from "../../src/organiser/live/prefetch.ts";
import { key } from "../../src/organiser/session.ts";

let asked: string[];
let answers: Record<string, [number, object]>;
const running = { state: "running", tiles: 10, done: 4, failed: 0, missing: 0, workers: 1, trouble: null };
const now = () => true;

beforeEach(() => {
  vi.useFakeTimers();
  asked = [];
  answers = {};
  vi.stubGlobal("fetch", async (address: string | URL, init?: RequestInit) => {
    const path = String(address).replace(/^https?:\/\/[^/]+/, "");
    asked.push(`${init?.method ?? "GET"} ${path}`);
    const [status, body] = answers[path] ?? [404, {}];
    return new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/json" } });
  });
  key.value = "sk_test";
  forgetPrefetch("/v1/campaigns/a");
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("the button does what comes next", () => {
  const of = (state: "running" | "stopped" | "done" | "not_begun", failed = 0, missing = 0) =>
    actOf({ state, failed, missing });
  expect([of("not_begun"), of("running"), of("stopped"), of("done")]).toEqual(["start", "stop", "go_on", "anew"]);
  expect([of("done", 1), of("done", 0, 1)]).toEqual(["again", "again"]);
});

test("an area without tiles is done, and no share is above one", () => {
  expect(shareOf({ tiles: 0, done: 0 })).toBe(1);
  expect(shareOf({ tiles: 8, done: 2 })).toBe(0.25);
  expect(shareOf({ tiles: 8, done: 9 })).toBe(1);
});

test("it is told when nobody carries it out, but not while the source is left alone", () => {
  expect(isUnattended({ state: "running", workers: 0, trouble: null })).toBe(true);
  expect(isUnattended({ state: "running", workers: 1, trouble: null })).toBe(false);
  expect(isUnattended({ state: "running", workers: 0, trouble: { reason: "status 500", retried_at: null } })).toBe(
    false,
  );
  expect(isUnattended({ state: "stopped", workers: 0, trouble: null })).toBe(false);
});

test("a moment without a worker, as between two pieces, is not told", async () => {
  answers["/v1/campaigns/a/prefetch"] = [200, { ...running, workers: 0 }];
  for (let n = 0; n < 3; n++) await prefetchTask.run(now);
  expect(isLeftAlone.value).toBe(false);
  await prefetchTask.run(now);
  expect(isLeftAlone.value).toBe(true);
  answers["/v1/campaigns/a/prefetch"] = [200, running];
  await prefetchTask.run(now);
  expect(isLeftAlone.value).toBe(false);
});

test("it is asked for often while it runs, and seldom otherwise", async () => {
  answers["/v1/campaigns/a/prefetch"] = [200, running];
  await prefetchTask.run(now);
  await prefetchTask.run(now);
  expect(asked).toHaveLength(2);
  answers["/v1/campaigns/a/prefetch"] = [200, { ...running, state: "done" }];
  await prefetchTask.run(now);
  await prefetchTask.run(now);
  expect(asked).toHaveLength(3);
  vi.advanceTimersByTime(60_000);
  await prefetchTask.run(now);
  expect(asked).toHaveLength(4);
});

test("what could not be had comes with it when there is any", async () => {
  const failures = [{ tile: "19/1/2", reason: "status 500", failed_at: "2026-11-29T05:00:00Z" }];
  answers["/v1/campaigns/a/prefetch"] = [200, { ...running, failed: 1 }];
  answers["/v1/campaigns/a/prefetch/failures?limit=100"] = [200, { failures }];
  await prefetchTask.run(now);
  expect(notHad.value).toEqual(failures);
  expect(hasGaps(prefetch.value!)).toBe(true);
});

test("an answer for a campaign that is not shown any more is dropped", async () => {
  answers["/v1/campaigns/a/prefetch"] = [200, running];
  const reading = prefetchTask.run(now);
  forgetPrefetch("/v1/campaigns/b");
  await reading;
  expect(prefetch.value).toBeNull();
});

test("after a start it is asked again at once, and a refusal is kept beside it", async () => {
  answers["/v1/campaigns/a/prefetch"] = [200, { ...running, state: "done" }];
  await prefetchTask.run(now);
  answers["/v1/campaigns/a/prefetch"] = [202, running];
  await act("anew");
  expect(asked.at(-1)).toBe("POST /v1/campaigns/a/prefetch");
  expect(prefetch.value?.state).toBe("running");
  answers["/v1/campaigns/a/prefetch/stop"] = [403, { code: "scope_missing" }];
  await act("stop");
  expect(actTrouble.value?.status).toBe(403);
  expect(prefetch.value?.state).toBe("running");
});

test("too many tiles are no reason to ask again and again", async () => {
  answers["/v1/campaigns/a/prefetch"] = [422, { code: "prefetch_refused" }];
  await prefetchTask.run(now);
  expect(readTrouble.value?.status).toBe(422);
});
