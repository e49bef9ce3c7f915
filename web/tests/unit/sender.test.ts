import "fake-indexeddb/auto";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { backoffMs } from "../../src/shared/api.ts";
import { uuid7 } from "../../src/shared/uuid7.ts";
import { type Kept, Outbox } from "../../src/volunteer/outbox.ts";
import { Sender, type SendState } from "../../src/volunteer/sender.ts";

type Answer = (path: string, body: { looks: { id: string }[] } | null) => Response;

let outbox: Outbox;
let answer: Answer;
let states: SendState[];
let sender: Sender;
const sent: string[][] = [];

const json = (status: number, body: unknown, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify(body), { status, headers });
const all =
  (verdict: string): Answer =>
  (_, body) =>
    json(200, { results: body!.looks.map(({ id }) => ({ id, verdict })) });

function kept(minute: number): Kept {
  const at = `2026-11-23T07:${String(minute).padStart(2, "0")}:00.000Z`;
  const id = uuid7();
  return {
    id,
    campaign: "demo",
    due: 0,
    look: {
      id,
      cell: `17/1/${minute}`,
      outcome: "nothing",
      started_at: at,
      finished_at: at,
      campaign_version: 1,
      tags: [],
    },
  };
}

beforeEach(async () => {
  outbox = await Outbox.open(`test-${uuid7()}`);
  states = [];
  sent.length = 0;
  sender = new Sender(outbox, { onState: (state) => states.push(state), onSettled: () => {} });
  vi.stubGlobal("navigator", {});
  vi.stubGlobal("fetch", async (path: string, init: RequestInit) => {
    if (path === "/v1/volunteers") return json(201, { volunteer_id: "v", token: "t" });
    const body = init.body ? (JSON.parse(init.body as string) as { looks: { id: string }[] }) : null;
    sent.push(body!.looks.map(({ id }) => id));
    return answer(path, body);
  });
});

afterEach(() => vi.unstubAllGlobals());

test("created and repeated looks leave the outbox", async () => {
  const [first, second] = [kept(1), kept(2)];
  await outbox.keep(first);
  await outbox.keep(second);
  answer = (_, body) =>
    json(200, { results: body!.looks.map(({ id }, i) => ({ id, verdict: i ? "repeated" : "created" })) });
  await sender.kick();
  expect(sent).toEqual([[first.id, second.id]]);
  expect(await outbox.all()).toEqual([]);
});

test("more looks than a batch holds go in several, oldest first", async () => {
  for (let i = 0; i < 55; i++) await outbox.keep(kept(i));
  answer = all("created");
  await sender.kick();
  expect(sent.map((ids) => ids.length)).toEqual([50, 5]);
});

test("a refused look is kept with its reason", async () => {
  await outbox.keep(kept(1));
  answer = (_, body) =>
    json(200, { results: [{ id: body!.looks[0]!.id, verdict: "invalid", problem: { detail: "no such cell" } }] });
  await sender.kick();
  expect((await outbox.counts()).refused[0]!.refused!.why).toBe("no such cell");
});

test("a busy server keeps the looks here, and its Retry-After is honoured", async () => {
  await outbox.keep(kept(1));
  answer = () => json(503, {}, { "Retry-After": "12" });
  const before = Date.now();
  await sender.kick();
  const state = states.at(-1)!;
  expect(state.kind).toBe("waiting");
  if (state.kind === "waiting") expect(state.until - before).toBeGreaterThanOrEqual(12_000);
  expect((await outbox.counts()).waiting).toBe(1);
});

test("why the server takes nothing is told apart, and every look stays here", async () => {
  await outbox.keep(kept(1));
  for (const [status, code, reason] of [
    [503, "overloaded", "busy"],
    [503, "read_only", "read_only"],
    [503, "maintenance", "maintenance"],
    [429, "rate_limited", "limited"],
    [500, "internal_error", "busy"],
  ] as const) {
    answer = () => json(status, { code }, { "Retry-After": "30" });
    await sender.kick(true);
    expect(states.at(-1)).toMatchObject({ kind: "waiting", reason });
  }
  expect((await outbox.counts()).waiting).toBe(1);
  answer = all("created");
  await sender.kick(true);
  expect(await outbox.all()).toEqual([]);
});

test("while the server asks for patience only those who say so are heard", async () => {
  await outbox.keep(kept(1));
  answer = () => json(503, {}, { "Retry-After": "60" });
  await Promise.all([sender.kick(), sender.kick()]);
  await outbox.keep(kept(2));
  await sender.kick();
  expect(sent).toHaveLength(1);
  await sender.kick(true);
  expect(sent).toHaveLength(2);
  answer = all("created");
  await sender.kick(true);
  expect(await outbox.all()).toEqual([]);
});

test("without a network the looks stay here", async () => {
  await outbox.keep(kept(1));
  answer = () => {
    throw new TypeError("Failed to fetch");
  };
  await sender.kick();
  expect(states.at(-1)).toMatchObject({ kind: "waiting", reason: "offline" });
  expect((await outbox.counts()).waiting).toBe(1);
});

test("without a network it is tried every 30 s at least", async () => {
  await outbox.keep(kept(1));
  answer = () => {
    throw new TypeError("Failed to fetch");
  };
  for (let i = 0; i < 8; i++) await sender.kick();
  const state = states.at(-1)!;
  if (state.kind !== "waiting") throw new Error("it should wait");
  expect(state.until - Date.now()).toBeLessThanOrEqual(30_000);
});

test("one bad look in a refused batch does not hold back the others", async () => {
  const records = [kept(1), kept(2), kept(3)];
  for (const record of records) await outbox.keep(record);
  const bad = records[1]!.id;
  answer = (path, body) =>
    body!.looks.some(({ id }) => id === bad) ? json(422, { detail: "bad" }) : all("created")(path, body);
  await sender.kick();
  const counts = await outbox.counts();
  expect(counts.waiting).toBe(0);
  expect(counts.refused.map((record) => record.id)).toEqual([bad]);
});

const forgotten = () => json(403, { code: "volunteer_forgotten" });

test("what somebody who was forgotten had not sent is sent at once, as a new volunteer's", async () => {
  const [first, second] = [kept(1), kept(2)];
  await outbox.keep(first);
  await outbox.keep(second);
  let refusals = 1;
  answer = (path, body) => (refusals-- > 0 ? forgotten() : all("created")(path, body));
  await sender.kick();
  expect(sent).toEqual([
    [first.id, second.id],
    [first.id, second.id],
  ]);
  expect(await outbox.all()).toEqual([]);
  expect(states.map(({ kind }) => kind)).toEqual(["sending", "idle"]);
});

test("a new volunteer who is refused too is not tried again at once, and the look stays here", async () => {
  await outbox.keep(kept(1));
  answer = forgotten;
  await sender.kick();
  await sender.kick();
  expect(sent).toHaveLength(2);
  expect(states.at(-1)).toMatchObject({ kind: "waiting" });
  expect((await outbox.counts()).waiting).toBe(1);
});

test("the server's wait is the least, however short ours would be, and chance only lengthens it", () => {
  for (const random of [0, 0.3, 0.999])
    for (const attempt of [0, 3, 30]) {
      const wait = backoffMs(attempt, 20_000, random);
      expect(wait).toBeGreaterThanOrEqual(20_000);
      expect(wait).toBeGreaterThanOrEqual(backoffMs(attempt, null, 0));
    }
  const waits = new Set(Array.from({ length: 20 }, () => backoffMs(0, 60_000)));
  expect(waits.size).toBeGreaterThan(10);
});

test("waiting doubles up to five minutes, with up to half as jitter", () => {
  expect(backoffMs(0, null, 0)).toBe(1000);
  expect(backoffMs(3, null, 0)).toBe(8000);
  expect(backoffMs(30, null, 0)).toBe(300_000);
  expect(backoffMs(0, 12_000, 1)).toBe(18_000);
});
