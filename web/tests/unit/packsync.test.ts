import { beforeEach, expect, test, vi } from "vitest";
import { Problem } from "../../src/shared/api.ts";
import type { NewTag, Outcome } from "../../src/shared/contract.ts";
import { BEGINNING, type PushRow, type Wire } from "../../src/sync/wire.ts";
import type { Kept } from "../../src/volunteer/outbox.ts";
import { pushLooks } from "../../src/volunteer/packsync.ts";
import { type Receipt, Receipts } from "../../src/volunteer/receipts.ts";

const tag = (id: string): NewTag => ({
  id,
  tag_type: "wreckage",
  geometry: { type: "Point", coordinates: [1, 2] },
});

function kept(id: string, outcome: Outcome = "nothing", tags: NewTag[] = []): Kept {
  const at = "2026-11-23T07:00:00.000Z";
  const look = { id, cell: `17/1/${id}`, outcome, started_at: at, finished_at: at, campaign_version: 3, tags };
  return { id, campaign: "demo", pack: "p", due: 0, look };
}

let wire: { [K in keyof Wire]: ReturnType<typeof vi.fn> };
const asWire = () => wire as unknown as Wire;

beforeEach(() => {
  wire = { pull: vi.fn(), push: vi.fn(async () => []), follow: vi.fn() };
});

test("tags go before their looks, and each document has what a client writes and nothing else", async () => {
  const verdicts = await pushLooks(asWire(), [kept("1", "tagged", [tag("t")]), kept("2")]);
  expect(wire.push.mock.calls.map(([name]) => name)).toEqual(["tags", "looks"]);
  const [tags, looks] = wire.push.mock.calls.map(([, rows]) => rows as PushRow<object>[]);
  expect(tags).toEqual([{ newDocumentState: { ...tag("t"), look_id: "1", campaign: "demo", _deleted: false } }]);
  const { tags: _, ...look } = kept("2").look;
  expect(looks![1]).toEqual({ newDocumentState: { ...look, campaign: "demo", _deleted: false } });
  expect(verdicts).toEqual([
    { id: "1", verdict: "created" },
    { id: "2", verdict: "created" },
  ]);
});

test("a day's tags go in parts that the server takes", async () => {
  const tags = Array.from({ length: 2500 }, (_, i) => tag(String(i)));
  await pushLooks(asWire(), [kept("1", "tagged", tags)]);
  expect(wire.push.mock.calls.map(([, rows]) => (rows as unknown[]).length)).toEqual([1000, 1000, 500, 1]);
});

test("a look whose tag is refused is not sent, so that nothing of it counts", async () => {
  wire.push.mockImplementation(async (name: string) =>
    name === "tags" ? [{ id: "t", look_id: "1", _deleted: true }] : [],
  );
  const verdicts = await pushLooks(asWire(), [kept("1", "tagged", [tag("t")]), kept("2")]);
  expect(verdicts.map(({ verdict }) => verdict)).toEqual(["invalid", "created"]);
  const [, rows] = wire.push.mock.calls[1] as [string, PushRow<object>[]];
  expect(rows.map(({ newDocumentState }) => newDocumentState.id)).toEqual(["2"]);
});

test("a tag that its volunteer changed elsewhere holds nothing back", async () => {
  wire.push.mockImplementation(async (name: string) =>
    name === "tags" ? [{ id: "t", look_id: "1", _deleted: false }] : [],
  );
  expect(await pushLooks(asWire(), [kept("1", "tagged", [tag("t")])])).toEqual([{ id: "1", verdict: "created" }]);
});

test("a refused look and one that is there with other content are told apart", async () => {
  wire.push.mockResolvedValue([
    { id: "1", _deleted: true },
    { id: "2", _deleted: false },
  ]);
  const verdicts = await pushLooks(asWire(), [kept("1"), kept("2"), kept("3")]);
  expect(verdicts.map(({ verdict }) => verdict)).toEqual(["invalid", "conflict", "created"]);
});

const receipt = (id: string): Receipt => ({
  id,
  verdict: "stored",
  standing: "extra",
  _deleted: false,
});

test("receipts are read page after page, and the next time from where they ended", async () => {
  const kept = new Map<string, string>();
  vi.stubGlobal("localStorage", {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, text: string) => kept.set(key, text),
  });
  const full = Array.from({ length: 500 }, (_, i) => receipt(String(i)));
  wire.pull
    .mockResolvedValueOnce({ documents: full, checkpoint: { lwt: 5, id: "1.a" } })
    .mockResolvedValueOnce({ documents: [receipt("last")], checkpoint: { lwt: 6, id: "1.b" } })
    .mockResolvedValue({ documents: [], checkpoint: { lwt: 6, id: "1.b" } });
  const told: string[] = [];
  const receipts = new Receipts(asWire(), async (page) => void told.push(...page.map(({ id }) => id)));
  expect(await receipts.read()).toHaveLength(501);
  expect(told.at(-1)).toBe("last");
  await receipts.read();
  expect(wire.pull.mock.calls.map(([, after]) => after)).toEqual([
    BEGINNING,
    { lwt: 5, id: "1.a" },
    { lwt: 6, id: "1.b" },
  ]);
  // Another history of the server: from the beginning, within the same reading.
  wire.pull.mockReset();
  wire.pull
    .mockRejectedValueOnce(new Problem(426, { code: "sync_start_again" }, null))
    .mockResolvedValue({ documents: [receipt("again")], checkpoint: { lwt: 1, id: "2.a" } });
  expect((await receipts.read()).map(({ id }) => id)).toEqual(["again"]);
  expect(wire.pull.mock.calls[1]![1]).toEqual(BEGINNING);
  // Another volunteer on this device has nothing to do with that place.
  kept.set("spotter.volunteer", JSON.stringify({ volunteer_id: "another", token: "t" }));
  await receipts.read();
  expect(wire.pull.mock.calls.at(-1)![1]).toEqual(BEGINNING);
  vi.unstubAllGlobals();
});

test("receipts that come a moment later are waited for, and no longer than a while", async () => {
  vi.useFakeTimers();
  const page = (documents: Receipt[]) => ({ documents, checkpoint: BEGINNING });
  wire.pull
    .mockResolvedValueOnce(page([receipt("1")]))
    .mockRejectedValueOnce(new Problem(0, {}, null))
    .mockResolvedValueOnce(page([receipt("2")]))
    .mockResolvedValue(page([]));
  const told: string[] = [];
  const receipts = new Receipts(asWire(), async (read) => void told.push(...read.map(({ id }) => id)));
  receipts.await(["1", "2"]);
  await vi.advanceTimersByTimeAsync(200_000);
  expect(told).toEqual(["1", "2"]);
  expect(wire.pull).toHaveBeenCalledTimes(3);
  receipts.await(["never"]);
  await vi.advanceTimersByTimeAsync(600_000);
  expect(wire.pull).toHaveBeenCalledTimes(8);
  vi.useRealTimers();
});
