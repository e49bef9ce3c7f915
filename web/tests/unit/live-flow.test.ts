/** The feed of the live page: what is new, what waits, what a flood leaves out, and that it stays small. */
import { expect, test } from "vitest";
import {
  arrive,
  type Flow,
  KEPT,
  noFlow,
  older,
  pageSize,
  release,
  tagsPerSecond,
  thinning,
} from "../../src/organiser/live/flow.ts";
import type { TagFeature, TagPage } from "../../src/shared/contract.ts";

const START = Date.parse("2026-11-23T10:00:00Z");

/** The `n`th tag of a campaign in which one comes every `everyMs`. */
function tag(n: number, everyMs = 1000, revision = 1): TagFeature {
  const received_at = new Date(START + n * everyMs).toISOString();
  return {
    type: "Feature",
    id: `tag-${n}`,
    geometry: { type: "Point", coordinates: [0, 0] },
    properties: {
      tag_type: "wreckage",
      note: null,
      cell: "17/1/1",
      look_id: `look-${n}`,
      volunteer_id: "v",
      campaign_version: 1,
      revision,
      received_at,
      updated_at: received_at,
    },
  };
}

/** What the server answers when `newest` tags were sent and `limit` are asked for. */
function page(newest: number, limit = 50, everyMs = 1000): TagPage {
  const first = Math.max(1, newest - limit + 1);
  const features = Array.from({ length: newest - first + 1 }, (_, i) => tag(newest - i, everyMs));
  return { features, next: first > 1 ? `/next?after=${first}` : null };
}

const at = (n: number, everyMs = 1000) => START + n * everyMs;
const ids = (flow: Flow) => flow.entries.map((entry) => entry.id);

function run(from: Flow, newest: readonly number[], isHeld = false): Flow {
  return newest.reduce((flow, n) => arrive(flow, page(n, pageSize(flow)), at(n), isHeld), from);
}

test("the first page is shown and none of it counts as new", () => {
  const flow = run(noFlow, [3]);
  expect(ids(flow)).toEqual(["tag-3", "tag-2", "tag-1"]);
  expect(flow.fresh.size).toBe(0);
});

test("new tags come on top, once each, and are marked", () => {
  const flow = run(noFlow, [3, 5, 5]);
  expect(ids(flow)).toEqual(["tag-5", "tag-4", "tag-3", "tag-2", "tag-1"]);
  expect([...run(noFlow, [3, 5]).fresh]).toEqual(["tag-5", "tag-4"]);
});

test("a held list stays as it is, says how many wait, and brings them on demand", () => {
  const held = run(run(noFlow, [3]), [4, 6], true);
  expect(ids(held)).toEqual(["tag-3", "tag-2", "tag-1"]);
  expect(held.waitingCount).toBe(3);
  const released = release(held);
  expect(ids(released)).toEqual(["tag-6", "tag-5", "tag-4", "tag-3", "tag-2", "tag-1"]);
  expect(released.waitingCount).toBe(0);
});

test("after a long absence the list begins anew at the newest page, without a hidden hole", () => {
  const flow = run(noFlow, [3, 500]);
  expect(ids(flow)[0]).toBe("tag-500");
  expect(flow.entries).toHaveLength(50);
  expect(flow.next).toBe("/next?after=451");
});

test("more than a page while the list is held is told as the least number", () => {
  const held = run(run(noFlow, [3]), [500], true);
  expect(held).toMatchObject({ waitingCount: 50, isWaitingMore: true });
  expect(ids(release(held))).toEqual(page(500).features.map((entry) => entry.id));
});

test("a withdrawn tag goes, an edited one is replaced, and the older one that moves up is not new", () => {
  const before = run(noFlow, [60]);
  const answer = page(61, 51);
  answer.features = answer.features.filter((entry) => entry.id !== "tag-58").slice(1);
  answer.features.push(tag(9));
  answer.features[0] = tag(60, 1000, 2);
  const flow = arrive(before, answer, at(60), false);
  expect(ids(flow)).not.toContain("tag-58");
  expect(flow.entries[0]!.properties.revision).toBe(2);
  expect(ids(flow)).not.toContain("tag-9");
});

test("days of tags leave some hundreds in memory", () => {
  let flow = noFlow;
  for (let n = 1; n < 6000; n += 7) {
    flow = arrive(flow, page(n), at(n), n % 1500 > 1000);
    expect(flow.entries.length).toBeLessThanOrEqual(KEPT);
    expect(flow.waiting.length).toBeLessThanOrEqual(500);
  }
});

test("older tags go to the end without doubles", () => {
  const flow = run(noFlow, [80]);
  const answer = { features: [tag(31), tag(30), tag(29)], next: null };
  expect(ids(older(flow, answer)).slice(-3)).toEqual(["tag-31", "tag-30", "tag-29"]);
  expect(older(flow, answer).next).toBeNull();
});

test("the rate counts ten seconds, or what the page covers of them", () => {
  expect(tagsPerSecond(page(100), at(100))).toBe(1);
  expect(tagsPerSecond(page(400, 50, 100), at(400, 100))).toBeCloseTo(50 / 4.9);
  expect(tagsPerSecond(page(100), at(100) + 60_000)).toBe(0);
});

test("thinning begins above five a second and ends below four", () => {
  expect([1, 5, 5.1, 8, 9].map((rate) => thinning(1, rate))).toEqual([1, 1, 8, 8, 16]);
  expect([4, 4.5, 31].map((rate) => thinning(8, rate))).toEqual([1, 8, 60]);
});

test("thinning does not change to and fro at a border", () => {
  expect([31, 30, 21, 19].map((rate) => thinning(60, rate))).toEqual([60, 60, 60, 30]);
});

test("in a flood every nth tag is shown, and the true number waits", () => {
  const everyMs = 100;
  let flow = arrive(noFlow, page(400, 50, everyMs), at(400, everyMs), false);
  expect(flow.every).toBe(16);
  for (const n of [420, 440, 460, 480]) flow = arrive(flow, page(n, pageSize(flow), everyMs), at(n, everyMs), false);
  const shown = ids(flow).filter((id) => Number(id.slice(4)) > 400);
  expect(shown).toHaveLength(5);
  const held = arrive(flow, page(500, pageSize(flow), everyMs), at(500, everyMs), true);
  expect(held.waitingCount).toBe(20);
});
