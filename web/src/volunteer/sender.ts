/**
 * Sends what the outbox keeps, oldest first, in batches, until the server has answered for each look.
 *
 * Invariant: a look is never dropped for an answer that was not understood; among several tabs one sends at a time.
 */

import type { LastRequest } from "../offline/names.ts";
import { backoffMs, type Problem } from "../shared/api.ts";
import type { ProblemBody, Verdict } from "../shared/contract.ts";
import { openWire } from "../sync/wire.ts";
import { type Hold, holdOf } from "./hold.ts";
import type { Kept, Outbox } from "./outbox.ts";
import { pushLooks } from "./packsync.ts";
import { callAsVolunteer, tokenAtHand } from "./volunteer.ts";

/** Looks of one request: of squares that the server gave one by one, and of those that were taken along. */
const BATCH = 50;
const PACK_BATCH = 500;
const OFFLINE_EVERY_MS = 30_000;
// Browsers refuse keepalive bodies above 64 KiB.
const KEEPALIVE_BYTES = 60_000;

export type SendState =
  | { kind: "idle" }
  | { kind: "sending"; since: number; looks: number }
  | { kind: "waiting"; reason: Hold; until: number };

export interface SenderEvents {
  onState(state: SendState): void;
  /** The outbox changed: looks were stored by the server or refused by it. */
  onSettled(created: number): void;
  /** The server has these looks, which may have come late: their receipts are on their way. */
  onLate?(ids: readonly string[]): void;
}

const batchPath = (campaign: string) => `/v1/campaigns/${encodeURIComponent(campaign)}/looks/batch`;

/** A look that waited for longer may have come after its square had enough, or after the end. */
const LATE_MS = 600_000;

const mayBeLate = ({ pack, look }: Kept) => pack !== undefined || Date.now() - Date.parse(look.finished_at) > LATE_MS;

const wire = openWire({ send: callAsVolunteer });

const withLock = <T>(work: () => Promise<T>): Promise<T> =>
  "locks" in navigator ? (navigator.locks.request("spotter.send", work) as Promise<T>) : work();

/** Asks while the page goes away; nobody will hear the answer. */
function askLast(request: LastRequest): void {
  const worker = navigator.serviceWorker?.controller;
  if (worker) worker.postMessage(request);
  else fetch(request.path, { ...request, method: "POST", keepalive: true }).catch(() => {});
}

function reasonOf(body: ProblemBody | undefined): NonNullable<Kept["refused"]> {
  const why = body?.errors?.map((error) => error.detail).join("; ") || body?.detail || body?.title || "";
  return body?.request_id ? { why, request_id: body.request_id } : { why };
}

export class Sender {
  readonly #outbox: Outbox;
  readonly #events: SenderEvents;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running = false;
  #again = false;
  #attempt = 0;
  /** Until then the server, or our own patience, wants no looks. */
  #notBefore = 0;
  /** Falls to one after a whole batch was refused, to find the look that is at fault. */
  #most = PACK_BATCH;

  constructor(outbox: Outbox, events: SenderEvents) {
    this.#outbox = outbox;
    this.#events = events;
  }

  /**
   * Sends whatever may be sent; resolves when nothing is due or the server cannot take it. While the server asked
   * for patience only those who say so are heard: a person, or the network that is back.
   */
  async kick(isAsked = false): Promise<void> {
    if (this.#running) {
      this.#again = true;
      return;
    }
    if (isAsked) this.#notBefore = 0;
    const patience = this.#notBefore - Date.now();
    if (patience > 0) {
      this.#wakeIn(patience);
      return;
    }
    this.#running = true;
    clearTimeout(this.#timer);
    try {
      do {
        this.#again = false;
        while (await withLock(() => this.#sendOneBatch()));
      } while (this.#again && Date.now() >= this.#notBefore);
    } finally {
      this.#running = false;
    }
  }

  /** Last chance while the page goes away: the looks stay in the outbox until a later page hears the verdict. */
  flushOnExit(records: Kept[]): void {
    const token = tokenAtHand();
    const mayGo = records.filter(({ pack }) => !pack);
    const campaign = mayGo[0]?.campaign;
    if (!token || !campaign) return;
    const looks = mayGo.filter((record) => record.campaign === campaign).map((record) => record.look);
    while (looks.length && JSON.stringify(looks).length > KEEPALIVE_BYTES) looks.pop();
    if (!looks.length) return;
    askLast({
      path: batchPath(campaign),
      headers: { "Content-Type": "application/json", Authorization: `Bearer ${token}` },
      body: JSON.stringify({ looks }),
    });
  }

  async #sendOneBatch(): Promise<boolean> {
    const due = await this.#outbox.due(this.#most);
    const [first] = due;
    if (first === undefined) {
      await this.#rest();
      return false;
    }
    const records = first.pack ? due : due.slice(0, BATCH);
    this.#events.onState({ kind: "sending", since: Date.now(), looks: records.length });
    try {
      await this.#settle(first.pack ? await pushLooks(wire, records) : await this.#sendBatch(first.campaign, records));
      const late = records.filter(mayBeLate);
      if (late.length > 0) this.#events.onLate?.(late.map(({ id }) => id));
      this.#attempt = 0;
      this.#most = PACK_BATCH;
      return true;
    } catch (error) {
      return this.#failed(records, error as Problem);
    }
  }

  async #sendBatch(campaign: string, records: readonly Kept[]): Promise<Verdict[]> {
    const looks = records.map((record) => record.look);
    const options = { method: "POST", body: { looks } } as const;
    return (await callAsVolunteer<{ results: Verdict[] }>(batchPath(campaign), options)).results;
  }

  async #settle(results: Verdict[]): Promise<void> {
    let created = 0;
    for (const result of results) {
      if (result.verdict === "created" || result.verdict === "repeated") {
        await this.#outbox.acknowledge(result.id);
        created += 1;
      } else {
        await this.#outbox.refuse(result.id, reasonOf(result.problem));
      }
    }
    this.#events.onSettled(created);
  }

  async #failed(records: Kept[], problem: Problem): Promise<boolean> {
    // What is synced is answered one by one, unless it is too much at once.
    const aboutContent = records[0]!.pack ? [413] : [400, 404, 409, 410, 413, 422];
    const isAboutContent = aboutContent.includes(problem.status);
    if (isAboutContent && records.length > 1) {
      this.#most = 1;
      return true;
    }
    if (isAboutContent) {
      await this.#outbox.refuse(records[0]!.id, reasonOf(problem.body));
      this.#events.onSettled(0);
      return true;
    }
    const backoff = backoffMs(this.#attempt++, problem.retryAfterMs);
    const wait = problem.isOffline ? Math.min(backoff, OFFLINE_EVERY_MS) : backoff;
    this.#notBefore = Date.now() + wait;
    this.#events.onState({ kind: "waiting", reason: holdOf(problem), until: this.#notBefore });
    this.#wakeIn(wait);
    return false;
  }

  /** Nothing may be sent now: wakes when the next look stops waiting for its undo. */
  async #rest(): Promise<void> {
    this.#events.onState({ kind: "idle" });
    const next = await this.#outbox.nextDue();
    if (next !== null) this.#wakeIn(Math.max(50, next - Date.now()));
  }

  #wakeIn(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.kick(), ms);
  }
}
