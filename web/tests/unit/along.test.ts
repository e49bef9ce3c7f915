import "fake-indexeddb/auto";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Problem } from "../../src/shared/api.ts";
import type { Assignment, Assignments } from "../../src/shared/contract.ts";
import { uuid7 } from "../../src/shared/uuid7.ts";
import { Along, type AlongSquare, squareId } from "../../src/volunteer/along.ts";
import { openDatabase, SQUARES, write } from "../../src/volunteer/database.ts";
import * as store from "../../src/volunteer/store.ts";

const assignment = (cell: string): Assignment => ({
  cell,
  bbox: [0, 0, 1, 1],
  lease_expires_at: "2026-12-01T00:00:00Z",
  reason: "pack",
  campaign_version: 1,
  pack: "p",
});

const dealt = (...cells: string[]): Assignments => ({
  assignments: cells.map(assignment),
  exhausted: cells.length === 0,
  retry_after_seconds: null,
});

const cellsOf = (answer: Assignments) => answer.assignments.map(({ cell }) => cell);

let database: IDBDatabase | null;
let along: Along;

async function put(state: AlongSquare["state"], ...cells: string[]): Promise<void> {
  await write(database, SQUARES, (squares) => {
    for (const cell of cells)
      squares.put({ id: squareId("demo", cell), campaign: "demo", pack: "p", assignment: assignment(cell), state });
  });
}

beforeEach(async () => {
  database = await openDatabase(`test-${uuid7()}`);
  along = new Along(database, "demo");
  vi.stubGlobal("navigator", { onLine: true });
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

const failing = (status: number, retryAfterMs: number | null = null) =>
  vi.fn(async (): Promise<Assignments> => Promise.reject(new Problem(status, {}, retryAfterMs)));

test("while the server gives squares, those that were taken along wait", async () => {
  await put("ready", "a");
  expect(cellsOf(await along.deal(1, async () => dealt("x")))).toEqual(["x"]);
});

test("without a network each square is given once, and only those with all their images", async () => {
  await put("ready", "a", "b", "c");
  await put("loading", "d");
  await put("answered", "e");
  const ask = failing(0);
  expect(cellsOf(await along.deal(2, ask))).toEqual(["a", "b"]);
  expect(cellsOf(await along.deal(2, ask))).toEqual(["c"]);
  await expect(along.deal(2, ask)).rejects.toMatchObject({ status: 0 });
});

test("a browser that knows of no network does not ask", async () => {
  await put("ready", "a");
  vi.stubGlobal("navigator", { onLine: false });
  const ask = failing(0);
  expect(cellsOf(await along.deal(1, ask))).toEqual(["a"]);
  expect(ask).not.toHaveBeenCalled();
});

test("a busy server is not asked again before its time, unless the network was away and is back", async () => {
  await put("ready", "a", "b", "c");
  const ask = failing(503, 60_000);
  await along.deal(1, ask);
  await along.deal(1, ask);
  expect(ask).toHaveBeenCalledTimes(1);
  along.expectNetwork();
  await along.deal(1, ask);
  expect(ask).toHaveBeenCalledTimes(2);
});

test("what the organisers decided is not passed over: a paused search gives no squares from here", async () => {
  await put("ready", "a");
  await expect(along.deal(1, failing(409))).rejects.toMatchObject({ status: 409 });
});

test("a network that brings nothing is not waited for long", async () => {
  await put("ready", "a");
  vi.useFakeTimers({ toFake: ["setTimeout"] });
  const asked = along.deal(1, () => new Promise<Assignments>(() => {}));
  await vi.waitUntil(() => vi.getTimerCount() > 0);
  await vi.advanceTimersByTimeAsync(6000);
  expect(cellsOf(await asked)).toEqual(["a"]);
});

test("the last squares of a search are those that were taken along", async () => {
  await put("ready", "a");
  expect(cellsOf(await along.deal(1, async () => dealt()))).toEqual(["a"]);
});

test("squares that the page had before a reload are not given a second time", async () => {
  await put("ready", "a", "b");
  const reloaded = new Along(database, "demo", ["a"]);
  expect(cellsOf(await reloaded.deal(5, failing(0)))).toEqual(["b"]);
});

test("a page that goes on with squares of before needs none at its start", async () => {
  await put("ready", "a");
  expect(await along.first(Promise.resolve(null))).toBeNull();
});

test("an answered square is counted as such, of this search only", async () => {
  await put("ready", "a", "b");
  await put("loading", "c");
  await along.answered(["a", "unknown"]);
  expect(store.along.value).toMatchObject({ left: 1, loading: 1, answered: 1 });
  await new Along(database, "other").recount();
  expect(store.along.value).toMatchObject({ left: 0, loading: 0, answered: 0 });
});
