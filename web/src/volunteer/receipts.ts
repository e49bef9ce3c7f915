/**
 * What became of looks that came late or were refused, as the server tells it: its `receipts`.
 *
 * Invariant: where the page has read to belongs to one volunteer; whoever is another begins anew.
 */
import { type Problem, toProblem } from "../shared/api.ts";
import { BEGINNING, type Checkpoint, isStartAgain, type Synced, type Wire } from "../sync/wire.ts";
import { write } from "./remember.ts";
import { volunteerHere } from "./volunteer.ts";

/** How a look was stored: in time and wanted, or not. */
export type Standing = "counted" | "extra" | "after_close" | "while_paused";

export type Receipt = Synced<{
  verdict: "stored" | "refused";
  standing?: Standing;
  code?: string;
  detail?: string;
}>;

const KEY = "spotter.receipts";
const PAGE = 500;
/** What was just stored is told when no older transaction is open, mostly at once. */
const AGAIN_AFTER_MS = [0, 1000, 4000, 15_000, 60_000];

type OnRead = (receipts: readonly Receipt[], awaited: ReadonlySet<string>) => Promise<void>;

interface Place {
  volunteer: string | null;
  checkpoint: Checkpoint;
}

function placeHere(): Place {
  const volunteer = volunteerHere();
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? "null") as Place | null;
    if (kept?.volunteer === volunteer) return kept;
  } catch {
    // Forbidden or damaged: all are read again, which changes nothing.
  }
  return { volunteer, checkpoint: BEGINNING };
}

export class Receipts {
  readonly #wire: Wire;
  readonly #onRead: OnRead;
  readonly #awaited = new Set<string>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #reading: Promise<Receipt[]> | null = null;

  /** `onRead` is told of each page before its place is kept. */
  constructor(wire: Wire, onRead: OnRead) {
    this.#wire = wire;
    this.#onRead = onRead;
  }

  /** Reads until these looks' receipts came, for a while; a later visit reads on. */
  await(ids: readonly string[]): void {
    for (const id of ids) this.#awaited.add(id);
    this.#readAgain(0);
  }

  /** What is new; one reading at a time. */
  read(): Promise<Receipt[]> {
    this.#reading ??= this.#readAll().finally(() => (this.#reading = null));
    return this.#reading;
  }

  #readAgain(attempt: number): void {
    clearTimeout(this.#timer);
    const wait = AGAIN_AFTER_MS[attempt];
    if (wait === undefined) return;
    this.#timer = setTimeout(async () => {
      await this.read().catch(() => []);
      if (this.#awaited.size > 0) this.#readAgain(attempt + 1);
    }, wait);
  }

  async #readAll(): Promise<Receipt[]> {
    const found: Receipt[] = [];
    let place = placeHere();
    for (;;) {
      const page = await this.#page(place);
      const receipts = page.documents.filter(({ _deleted }) => !_deleted);
      await this.#onRead(receipts, this.#awaited);
      for (const { id } of receipts) this.#awaited.delete(id);
      found.push(...receipts);
      place = { ...place, checkpoint: page.checkpoint };
      write(KEY, JSON.stringify(place));
      if (page.documents.length < PAGE) return found;
    }
  }

  async #page(place: Place) {
    type Told = Omit<Receipt, "id" | "_deleted">;
    try {
      return await this.#wire.pull<Told>("receipts", place.checkpoint, PAGE);
    } catch (failure) {
      const problem: Problem = await toProblem(failure);
      if (!isStartAgain(problem) || place.checkpoint === BEGINNING) throw problem;
      return this.#wire.pull<Told>("receipts", BEGINNING, PAGE);
    }
  }
}
