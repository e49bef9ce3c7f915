/**
 * The adapter for RxDB 17: a collection of an app, replicated with Spotter. It imports nothing of RxDB; the app hands
 * over its `replicateRxCollection`:
 *
 *     const wire = openWire({ base, send: (path, options) => call(path, { ...options, token }) });
 *     const tags = replicate(wire, "tags", (options) => replicateRxCollection({ collection: db.tags, ...options }));
 *     …
 *     await tags.cancel();
 *
 * Collections: `looks` and `tags` go both ways; `campaigns`, `assignments` and `receipts` come only. An app that is
 * refused keeps its documents and tries again: after as long as the server asks for, with smaller pushes where one was
 * too large. When the server's history is another one than before (its database was restored) or the app was away for
 * longer than withdrawn documents are remembered, the replication begins again from nothing, by itself; documents that
 * are the same on both sides stay as they are.
 */
import {
  BEGINNING,
  type Checkpoint,
  isOutdated,
  isStartAgain,
  type LiveEvent,
  type PullPage,
  type PushRow,
  type Refusal,
  type Synced,
  type Wire,
} from "./wire.ts";

const TWO_WAY = ["looks", "tags"];
/** The most documents that the server takes and gives at once. */
const BATCH = 1000;
const RETRY_MS = 5000;
/** An account that was closed, and a server that asks for patience, are not asked more often, nor more seldom. */
const FORBIDDEN_MS = 60_000;
const PATIENCE_MOST_MS = 300_000;

/** Options of `replicateRxCollection`, but for the collection itself. */
export interface ReplicationOptions<T> {
  replicationIdentifier: string;
  live: true;
  retryTime: number;
  pull: {
    batchSize: number;
    handler(after: Checkpoint | undefined, limit: number): Promise<PullPage<T>>;
  };
  push?: { batchSize: number; handler(rows: PushRow<T>[]): Promise<Synced<T>[]> };
}

/** What is needed of RxDB's state of a replication. */
interface Running<T> {
  /** Resolves when this tab is the one that replicates. */
  startPromise: Promise<void>;
  isStoppedOrPaused(): boolean;
  emitEvent(event: LiveEvent<T>): void;
  cancel(): Promise<unknown>;
}

export interface Replication<S> {
  /** RxDB's state of the replication that runs now; another one after it began again. */
  readonly state: S;
  /** Resolves when the server wants a newer app: the replication has ended. */
  readonly outdated: Promise<void>;
  cancel(): Promise<unknown>;
}

export function replicate<T, S extends Running<T>>(
  wire: Wire,
  collection: string,
  begin: (options: ReplicationOptions<T>) => S,
): Replication<S> {
  let generation = 0;
  let isOver = false;
  let tellOutdated = () => {};
  const outdated = new Promise<void>((resolve) => (tellOutdated = resolve));
  const waits = new Set<() => void>();
  let stopFollowing = () => {};
  const cancel = () => {
    isOver = true;
    for (const wake of waits) wake();
    stopFollowing();
    return state.cancel();
  };

  const start = (): S => {
    const started = begin(options(generation));
    void started.startPromise.then(() => {
      if (isOver || started !== state) return;
      stopFollowing();
      stopFollowing = wire.follow<T>(collection, (event) => started.isStoppedOrPaused() || started.emitEvent(event));
    });
    return started;
  };

  /** Gives up for now: RxDB asks again when the handler has thrown. */
  const refused = async (refusal: Refusal, of: number): Promise<never> => {
    if (isOutdated(refusal)) {
      tellOutdated();
      void cancel();
    } else if (isStartAgain(refusal) && of === generation && !isOver) {
      generation += 1;
      void state.cancel();
      state = start();
    } else {
      const least = refusal.status === 403 ? FORBIDDEN_MS : 0;
      await pause(Math.min(PATIENCE_MOST_MS, Math.max(least, refusal.retryAfterMs ?? 0)), waits);
    }
    throw refusal;
  };

  const push = async (rows: PushRow<T>[]): Promise<Synced<T>[]> => {
    try {
      return await wire.push(collection, rows);
    } catch (refusal) {
      if ((refusal as Refusal).status !== 413 || rows.length < 2) throw refusal;
      const half = Math.ceil(rows.length / 2);
      return [...(await push(rows.slice(0, half))), ...(await push(rows.slice(half)))];
    }
  };

  const options = (of: number): ReplicationOptions<T> => ({
    // Another identifier is another memory of what was replicated.
    replicationIdentifier: `spotter-${collection}-${of}`,
    live: true,
    retryTime: RETRY_MS,
    pull: {
      batchSize: BATCH,
      handler: (after, limit) =>
        wire.pull<T>(collection, after ?? BEGINNING, limit).catch((refusal) => refused(refusal as Refusal, of)),
    },
    ...(TWO_WAY.includes(collection) && {
      push: { batchSize: BATCH, handler: (rows) => push(rows).catch((refusal) => refused(refusal as Refusal, of)) },
    }),
  });

  let state = start();
  return {
    get state() {
      return state;
    },
    outdated,
    cancel,
  };
}

function pause(ms: number, waits: Set<() => void>): Promise<void> {
  if (ms === 0) return Promise.resolve();
  return new Promise((resolve) => {
    const wake = () => {
      clearTimeout(timer);
      waits.delete(wake);
      resolve();
    };
    const timer = setTimeout(wake, ms);
    waits.add(wake);
  });
}
