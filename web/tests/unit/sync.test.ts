import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type ReplicationOptions, replicate } from "../../src/sync/rxdb.ts";
import { openWire, type PushRow, type Refusal, type Send, type Wire } from "../../src/sync/wire.ts";

interface Tag {
  note?: string;
}

const refusal = (status: number, code?: string, retryAfterMs: number | null = null): Refusal => ({
  status,
  body: code ? { code } : {},
  retryAfterMs,
});

const row = (id: string): PushRow<Tag> => ({ newDocumentState: { id, _deleted: false } });

/** What RxDB's state of a replication is for the adapter; a test calls the handlers as RxDB would. */
class Fake {
  readonly options: ReplicationOptions<Tag>;
  readonly startPromise = Promise.resolve();
  readonly events: unknown[] = [];
  isCancelled = false;

  constructor(options: ReplicationOptions<Tag>) {
    this.options = options;
  }

  isStoppedOrPaused = () => this.isCancelled;
  emitEvent = (event: unknown) => this.events.push(event);
  cancel = async () => (this.isCancelled = true);
}

const begin = (options: ReplicationOptions<Tag>) => new Fake(options);

let wire: { [K in keyof Wire]: ReturnType<typeof vi.fn> };
const start = (collection: string) => replicate<Tag, Fake>(wire as unknown as Wire, collection, begin);

beforeEach(() => {
  vi.useFakeTimers();
  wire = { pull: vi.fn(), push: vi.fn(async () => []), follow: vi.fn(() => () => {}) };
});

afterEach(() => {
  vi.useRealTimers();
});

test("a pull goes on from where RxDB was, and from the beginning at first", async () => {
  const page = { documents: [], checkpoint: { lwt: 7, id: "1.a" } };
  wire.pull.mockResolvedValue(page);
  const { pull } = start("tags").state.options;
  expect(await pull.handler(undefined, 10)).toBe(page);
  await pull.handler(page.checkpoint, 10);
  expect(wire.pull.mock.calls).toEqual([
    ["tags", { lwt: 0, id: "" }, 10],
    ["tags", { lwt: 7, id: "1.a" }, 10],
  ]);
});

test("only looks and tags are pushed", () => {
  expect(
    ["looks", "tags", "campaigns", "receipts"].map((name) => start(name).state.options.push !== undefined),
  ).toEqual([true, true, false, false]);
});

test("a push that is too large goes in halves, down to single documents", async () => {
  wire.push.mockImplementation(async (_: string, rows: unknown[]) => {
    if (rows.length > 2) throw refusal(413);
    return [];
  });
  await start("tags").state.options.push!.handler([row("1"), row("2"), row("3"), row("4"), row("5")]);
  const accepted = wire.push.mock.calls.map(([, rows]) => rows as PushRow<Tag>[]).filter(({ length }) => length <= 2);
  expect(accepted.flat().map(({ newDocumentState }) => newDocumentState.id)).toEqual(["1", "2", "3", "4", "5"]);
});

test("another history of the server begins the replication again, once, under another name", async () => {
  wire.pull.mockRejectedValue(refusal(426, "sync_start_again"));
  const replication = start("tags");
  const first = replication.state;
  const both = [first.options.pull.handler(undefined, 10), first.options.pull.handler(undefined, 10)];
  expect((await Promise.allSettled(both)).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  expect(first.isCancelled).toBe(true);
  expect(replication.state).not.toBe(first);
  expect(replication.state.options.replicationIdentifier).toBe("spotter-tags-1");
  expect(replication.state.isCancelled).toBe(false);
});

test("a server that wants a newer app ends the replication and says so", async () => {
  wire.pull.mockRejectedValue(refusal(426, "schema_outdated"));
  const replication = start("tags");
  await expect(replication.state.options.pull.handler(undefined, 10)).rejects.toMatchObject({ status: 426 });
  await replication.outdated;
  expect(replication.state.isCancelled).toBe(true);
});

test("the server's patience is kept before RxDB hears of the failure, and ends when the app stops", async () => {
  wire.pull.mockRejectedValue(refusal(503, "overloaded", 20_000));
  const replication = start("tags");
  const heard: string[] = [];
  const pull = () => replication.state.options.pull.handler(undefined, 10).catch(() => heard.push("refused"));
  const asked = pull();
  await vi.advanceTimersByTimeAsync(19_000);
  expect(heard).toEqual([]);
  await vi.advanceTimersByTimeAsync(1_000);
  await asked;
  expect(heard).toEqual(["refused"]);
  const again = pull();
  await vi.advanceTimersByTimeAsync(0);
  await replication.cancel();
  await again;
  expect(heard).toHaveLength(2);
});

test("what happens live is told to the replication that runs", async () => {
  let tell: (event: unknown) => void = () => {};
  const stop = vi.fn();
  wire.follow.mockImplementation((_: string, onEvent: typeof tell) => {
    tell = onEvent;
    return stop;
  });
  const replication = start("tags");
  await vi.advanceTimersByTimeAsync(0);
  tell("RESYNC");
  expect(replication.state.events).toEqual(["RESYNC"]);
  await replication.cancel();
  expect(stop).toHaveBeenCalled();
});

test("a stream begins with a ticket, says when something may be missing, and takes another ticket when it ends", async () => {
  const opened: { url: string; readyState: number; onopen?: () => void; onerror?: () => void; onmessage?: unknown }[] =
    [];
  class Source {
    readyState = 1;
    close = vi.fn();
    constructor(readonly url: string) {
      opened.push(this);
    }
  }
  let tickets = 0;
  const send = (async () => ({ ticket: `t+${++tickets}` })) as unknown as Send;
  const events: unknown[] = [];
  const stop = openWire({ base: "http://x", send, EventSource: Source as never }).follow("tags", (event) =>
    events.push(event),
  );
  await vi.advanceTimersByTimeAsync(0);
  const first = opened[0]!;
  expect(first.url).toBe("http://x/v1/sync/rxdb/tags/0/pullStream?ticket=t%2B1");
  first.onopen!();
  (first.onmessage as (event: unknown) => void)({ data: '{"documents":[],"checkpoint":{"lwt":1,"id":"a"}}' });
  expect(events).toEqual(["RESYNC", { documents: [], checkpoint: { lwt: 1, id: "a" } }]);
  // It reconnects by itself.
  first.readyState = 0;
  first.onerror!();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(opened).toHaveLength(1);
  first.readyState = 2;
  first.onerror!();
  await vi.advanceTimersByTimeAsync(5_000);
  expect(opened[1]!.url).toContain("t%2B2");
  stop();
  opened[1]!.readyState = 2;
  opened[1]!.onerror!();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(opened).toHaveLength(2);
});
