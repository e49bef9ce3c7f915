/**
 * What the campaign as it stands would take: asked 300 ms after the last change.
 *
 * Invariant: an answer is only used when nothing changed since it was asked for; until a newer one comes the old
 * numbers stay, marked as old.
 */
import { computed, effect, signal } from "@preact/signals";
import type { Problem } from "../../shared/api.ts";
import type { Texts } from "../../shared/contract.ts";
import { organiserCall } from "../session.ts";
import type { Preview, PreviewOf } from "./api.ts";
import { type Refusal, refusalOf } from "./refusal.ts";

export const DELAY_MS = 300;

export interface Estimate {
  /** The newest answer, though it may be of an older state. */
  value: Preview | null;
  isOld: boolean;
  refusal: Refusal | null;
  /** No answer came: the network or the server failed. */
  failure: Problem | null;
}

export const nothing: Estimate = { value: null, isOld: false, refusal: null, failure: null };

/** Asks for the newest body only; `settle` gets each answer that is still wanted. */
export class Asker<T> {
  #turn = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #ask: (body: PreviewOf) => Promise<T>;
  readonly #settle: (answer: T | null, problem: Problem | null) => void;

  constructor(ask: (body: PreviewOf) => Promise<T>, settle: (answer: T | null, problem: Problem | null) => void) {
    this.#ask = ask;
    this.#settle = settle;
  }

  /** Forgets what was asked before; null asks for nothing. */
  want(body: PreviewOf | null, delayMs = DELAY_MS): void {
    clearTimeout(this.#timer);
    const turn = ++this.#turn;
    if (body === null) return;
    this.#timer = setTimeout(() => {
      this.#ask(body).then(
        (answer) => turn === this.#turn && this.#settle(answer, null),
        (problem: Problem) => turn === this.#turn && this.#settle(null, problem),
      );
    }, delayMs);
  }
}

export const previewCall = (body: PreviewOf): Promise<Preview> =>
  organiserCall<Preview>("/v1/campaigns/preview", { method: "POST", body });

export const estimate = signal<Estimate>(nothing);
export const instructionsHtml = signal<Texts>({});
/** The body that the newest estimate is of. */
const wanted = signal<PreviewOf | null>(null);
/** Cells at other zooms, for the choice of the size. */
export const cellsAt = signal<Record<number, number>>({});

const areaAsker = new Asker(previewCall, (value, problem) => {
  if (value) estimate.value = { value, isOld: false, refusal: null, failure: null };
  else if (problem) estimate.value = refusedOrFailed(estimate.value, problem);
});

const textAsker = new Asker(previewCall, (value) => {
  if (value) instructionsHtml.value = value.instructions_html ?? {};
});

function refusedOrFailed(before: Estimate, problem: Problem): Estimate {
  const refusal = problem.status === 422 ? refusalOf(problem.body, "") : null;
  return refusal
    ? { value: null, isOld: false, refusal, failure: null }
    : { ...before, isOld: true, refusal: null, failure: problem };
}

/** Asks anew when the body is another one than before. */
export function want(body: PreviewOf | null): void {
  if (same(body, wanted.peek())) return;
  wanted.value = body;
  estimate.value = body === null ? nothing : { ...estimate.peek(), isOld: true };
  areaAsker.want(body);
}

/** Once more the same, after the network came back. */
export function wantAgain(): void {
  if (estimate.value.failure && wanted.value) areaAsker.want(wanted.value, 0);
}

let texts = "{}";

export function wantInstructions(instructions: Texts): void {
  const now = JSON.stringify(instructions);
  if (now === texts) return;
  texts = now;
  if (now === "{}") instructionsHtml.value = {};
  textAsker.want(now === "{}" ? null : { instructions });
}

const areaOnly = computed(() => {
  const body = wanted.value;
  return body && JSON.stringify({ area: body.area, leave_out: body.leave_out });
});

/** Keeps `cellsAt` right for these zooms as long as the returned function is not called. */
export function watchCells(zooms: () => number[]): () => void {
  let asked = "";
  const known = new Set<number>();
  return effect(() => {
    const area = areaOnly.value;
    const wantedZooms = zooms();
    if (area !== asked) {
      asked = area ?? "";
      known.clear();
      cellsAt.value = {};
    }
    if (!area) return;
    for (const zoom of wantedZooms.filter((other) => !known.has(other))) {
      known.add(zoom);
      previewCall({ ...(JSON.parse(area) as PreviewOf), cell_zoom: zoom, looks_wanted: 1 }).then(
        ({ cells }) => {
          if (asked === area && cells !== null) cellsAt.value = { ...cellsAt.peek(), [zoom]: cells };
        },
        () => known.delete(zoom),
      );
    }
  });
}

function same(one: PreviewOf | null, other: PreviewOf | null): boolean {
  return one === other || (one !== null && other !== null && JSON.stringify(one) === JSON.stringify(other));
}
