/**
 * Sends what the outbox keeps, oldest first, in batches, until the server has answered for each look.
 *
 * Invariant: a look is never dropped for an answer that was not understood; among several tabs one sends at a time.
 */
import { backoffMs, type Problem } from "../shared/api.ts";
import type { ProblemBody, Verdict } from "../shared/contract.ts";
import { type Hold, holdOf } from "./hold.ts";
import type { Kept, Outbox } from "./outbox.ts";
import { callAsVolunteer, tokenAtHand } from "./volunteer.ts";

const BATCH = 50;
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
}

const batchPath = (campaign: string) => `/v1/campaigns/${encodeURIComponent(campaign)}/looks/batch`;

const withLock = <T>(work: () => Promise<T>): Promise<T> =>
  "locks" in navigator ? (navigator.locks.request("spotter.send", work) as Promise<T>) : work();

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
  #batch = BATCH;

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
    const campaign = records[0]?.campaign;
    if (!token || !campaign) return;
    const looks = records.filter((record) => record.campaign === campaign).map((record) => record.look);
    while (looks.length && JSON.stringify(looks).length > KEEPALIVE_BYTES) looks.pop();
    if (!looks.length) return;
    void fetch(batchPath(campaign), {
      method: "POST",
      keepalive: true,
      headers: { "Content-Type": "application/json", Authorization: `Bearer ${token}` },
      body: JSON.stringify({ looks }),
    }).catch(() => {});
  }

  async #sendOneBatch(): Promise<boolean> {
    const records = await this.#outbox.due(this.#batch);
    const campaign = records[0]?.campaign;
    if (campaign === undefined) {
      await this.#rest();
      return false;
    }
    this.#events.onState({ kind: "sending", since: Date.now(), looks: records.length });
    try {
      const looks = records.map((record) => record.look);
      const answer = await callAsVolunteer<{ results: Verdict[] }>(batchPath(campaign), {
        method: "POST",
        body: { looks },
      });
      await this.#settle(answer.results);
      this.#attempt = 0;
      this.#batch = BATCH;
      return true;
    } catch (error) {
      return this.#failed(records, error as Problem);
    }
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
    const isAboutContent = [400, 404, 409, 410, 413, 422].includes(problem.status);
    if (isAboutContent && records.length > 1) {
      this.#batch = 1;
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
