/**
 * Squares that were taken along: what there is to look at when the server gives none.
 *
 * Invariant: a square is given from here only when all its images are on this device, and not again once it was
 * answered.
 */
import { backoffMs, Problem } from "../shared/api.ts";
import type { Assignment, Assignments } from "../shared/contract.ts";
import { PACKS, readAll, SQUARES, write } from "./database.ts";
import * as store from "./store.ts";

/** Squares that were reserved for this volunteer in one call. */
export interface Pack {
  id: string;
  /** Slug of the campaign. */
  campaign: string;
  /** How many squares were asked for. */
  wanted: number;
  /** Null until the server has answered; then until when they are reserved. */
  expires_at: string | null;
  bytes: number;
}

export interface AlongSquare {
  id: string;
  campaign: string;
  pack: string;
  assignment: Assignment;
  /** `loading` until all its images are here. */
  state: "loading" | "ready" | "answered";
}

/** As many as the boot script asks for. */
const FIRST = 3;
/** A network that is there and brings nothing is waited for no longer, when there is something to look at. */
const PATIENCE_MS = 6000;

export const squareId = (campaign: string, cell: string) => `${campaign} ${cell}`;

/** False where pages cannot be kept, as over plain HTTP. */
export const canTakeAlong = (): boolean => "serviceWorker" in navigator && "caches" in globalThis;

const deadline = () =>
  new Promise<never>((_, reject) => setTimeout(() => reject(new Problem(0, {}, null)), PATIENCE_MS));

export class Along {
  readonly #database: IDBDatabase | null;
  readonly #slug: string;
  /** What this tab was given, or had before a reload. */
  readonly #given: Set<string>;
  #attempt = 0;
  #notBefore = 0;

  constructor(database: IDBDatabase | null, slug: string, given: readonly string[] = []) {
    this.#database = database;
    this.#slug = slug;
    this.#given = new Set(given);
  }

  /** Squares from the server, or those from here when it cannot be reached, has no time or has none left. */
  async deal<A extends Assignments | null>(count: number, ask: () => Promise<A>): Promise<A | Assignments> {
    const ready = await this.#ready();
    if (ready.length === 0) return ask();
    const give = () => this.#give(ready.slice(0, count));
    if (!navigator.onLine || Date.now() < this.#notBefore) return give();
    try {
      const answer = await Promise.race([ask(), deadline()]);
      this.#attempt = 0;
      return answer === null || answer.assignments.length > 0 ? answer : give();
    } catch (error) {
      const problem = error as Problem;
      if (!problem.isPassing) throw problem;
      this.#notBefore = Date.now() + backoffMs(this.#attempt++, problem.retryAfterMs);
      return give();
    }
  }

  /** The squares that the page asked for before anything else, or those from here in their stead. */
  first(asked: Promise<Assignments | null>): Promise<Assignments | null> {
    return this.deal(FIRST, () => asked);
  }

  /** The network is back: the server is asked at once. */
  expectNetwork(): void {
    this.#notBefore = 0;
  }

  /** These squares' looks are in the outbox. */
  async answered(cells: readonly string[]): Promise<void> {
    await write(this.#database, SQUARES, (squares) => {
      for (const cell of cells) {
        const request = squares.get(squareId(this.#slug, cell)) as IDBRequest<AlongSquare | undefined>;
        request.onsuccess = () => {
          if (request.result) squares.put({ ...request.result, state: "answered" } satisfies AlongSquare);
        };
      }
    }).catch(() => {});
    await this.recount();
  }

  /** Tells the page what is here. */
  async recount(): Promise<void> {
    const squares = await this.#squares();
    const packs = await this.packs();
    const count = (state: AlongSquare["state"]) => squares.filter((square) => square.state === state).length;
    store.along.value = {
      left: count("ready"),
      loading: count("loading"),
      answered: count("answered"),
      unmade: packs.filter(({ expires_at }) => expires_at === null).length,
      bytes: packs.reduce((sum, { bytes }) => sum + bytes, 0),
      expires_at: packs.flatMap(({ expires_at }) => expires_at ?? []).sort()[0] ?? null,
    };
  }

  /** Those of this campaign, oldest first. */
  async packs(): Promise<Pack[]> {
    const all = await readAll<Pack>(this.#database, PACKS);
    return all.filter(({ campaign }) => campaign === this.#slug).sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  async #ready(): Promise<AlongSquare[]> {
    const squares = await this.#squares();
    return squares.filter(({ state, assignment }) => state === "ready" && !this.#given.has(assignment.cell));
  }

  async #squares(): Promise<AlongSquare[]> {
    const all = await readAll<AlongSquare>(this.#database, SQUARES);
    return all.filter(({ campaign }) => campaign === this.#slug);
  }

  #give(squares: readonly AlongSquare[]): Assignments {
    for (const { assignment } of squares) this.#given.add(assignment.cell);
    const assignments = squares.map(({ assignment }) => assignment);
    return { assignments, exhausted: false, retry_after_seconds: null };
  }
}
