/**
 * Spotter's sync as RxDB speaks it (`/v1/sync/rxdb`), without RxDB: pull, push, and what happens live.
 *
 * Invariant: knows of no database and keeps nothing; every failure is thrown as `Send` throws it.
 */

/** Where a collection was read to. Opaque: it goes back as it came. */
export interface Checkpoint {
  lwt: number;
  id: string;
}

/** Before the first document. */
export const BEGINNING: Checkpoint = { lwt: 0, id: "" };

export type Synced<T> = T & { id: string; _deleted: boolean };

export interface PullPage<T> {
  documents: Synced<T>[];
  checkpoint: Checkpoint;
}

/** A new state of a document, and the server's state that it was made from; none for a new document. */
export interface PushRow<T> {
  newDocumentState: Synced<T>;
  assumedMasterState?: Synced<T> | undefined;
}

/** Documents as they come, or that something may have been missed: then pull. */
export type LiveEvent<T> = PullPage<T> | "RESYNC";

/**
 * Sends one request as the volunteer and gives the parsed answer; throws a `Refusal` where there is none or it says no.
 * `call` of shared/api.ts is one.
 */
export type Send = <A>(path: string, options?: { method?: "GET" | "POST"; body?: unknown }) => Promise<A>;

/** A request that failed; status 0 where no answer came. */
export interface Refusal {
  status: number;
  body: { code?: string };
  retryAfterMs: number | null;
}

/** The server's history is another one now, or the checkpoint is too old: begin again without one. */
export const isStartAgain = ({ status, body }: Refusal): boolean => status === 426 && body.code === "sync_start_again";

/** This program is too old for the server: nothing but an update of it helps. */
export const isOutdated = ({ status, body }: Refusal): boolean => status === 426 && body.code !== "sync_start_again";

export interface Wire {
  /** Fewer documents than `limit`: caught up. */
  pull<T>(collection: string, after: Checkpoint, limit: number): Promise<PullPage<T>>;
  /** The server's documents where it has others than were pushed; what is not among them is stored. */
  push<T>(collection: string, rows: readonly PushRow<T>[]): Promise<Synced<T>[]>;
  /** Tells what changes from now on, until the returned function is called. */
  follow<T>(collection: string, onEvent: (event: LiveEvent<T>) => void): () => void;
}

/** What every collection's documents look like; another number is another shape. */
const SCHEMA_VERSION = 0;
/** A stream that ended for good is opened anew after as much, with another ticket. */
const REOPEN_MS = 5000;

/** What is needed of the browser's EventSource; in Node the package `eventsource` has one. */
export type EventSourceLike = new (
  url: string,
) => Pick<EventSource, "readyState" | "close" | "onopen" | "onerror" | "onmessage">;

interface WireOptions {
  send: Send;
  /** Of the server, without a slash at its end; none for a page of the server itself. */
  base?: string;
  EventSource?: EventSourceLike;
}

export function openWire({ send, base = "", EventSource = globalThis.EventSource }: WireOptions): Wire {
  const path = (collection: string) => `${base}/v1/sync/rxdb/${collection}/${SCHEMA_VERSION}`;
  return {
    pull: (collection, { lwt, id }, limit) =>
      send(`${path(collection)}/pull?lwt=${lwt}&id=${encodeURIComponent(id)}&limit=${limit}`),
    push: (collection, rows) => send(`${path(collection)}/push`, { method: "POST", body: rows }),
    follow: (collection, onEvent) => {
      const ticket = async () => (await send<{ ticket: string }>(`${base}/v1/sync/tickets`, { method: "POST" })).ticket;
      return follow(EventSource, ticket, `${path(collection)}/pullStream`, onEvent);
    },
  };
}

/** A browser's EventSource sends no header, so a ticket in the address says who asks; it is good for minutes only. */
function follow<T>(
  EventSource: EventSourceLike,
  ticket: () => Promise<string>,
  url: string,
  onEvent: (event: LiveEvent<T>) => void,
): () => void {
  let source: InstanceType<EventSourceLike> | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isOver = false;
  const reopenIn = (ms: number) => {
    source?.close();
    clearTimeout(timer);
    timer = setTimeout(() => void open(), ms);
  };
  const open = async () => {
    try {
      const query = `?ticket=${encodeURIComponent(await ticket())}`;
      if (isOver) return;
      source = new EventSource(url + query);
    } catch (refusal) {
      if (!isOver) reopenIn(Math.max(REOPEN_MS, (refusal as Refusal).retryAfterMs ?? 0));
      return;
    }
    // Whatever happened before the stream was open, it does not tell.
    source.onopen = () => onEvent("RESYNC");
    source.onmessage = ({ data }: MessageEvent<string>) => onEvent(parse(data));
    source.onerror = () => {
      const isForGood = source?.readyState === 2;
      if (isForGood && !isOver) reopenIn(REOPEN_MS);
    };
  };
  void open();
  return () => {
    isOver = true;
    clearTimeout(timer);
    source?.close();
  };
}

function parse<T>(data: string): LiveEvent<T> {
  return data === "RESYNC" ? data : (JSON.parse(data) as LiveEvent<T>);
}
