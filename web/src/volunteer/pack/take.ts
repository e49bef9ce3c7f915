/**
 * Takes squares along: has them reserved, fetches their images, gives them back.
 *
 * Invariant: a pack's id is on this device before the server hears of it, so that a lost answer reserves nothing twice;
 * a reload goes on where it was.
 */
import { signal } from "@preact/signals";
import { TILES } from "../../offline/names.ts";
import { backoffMs, Problem, toProblem } from "../../shared/api.ts";
import type { Pack as Answer, Assignment, Campaign } from "../../shared/contract.ts";
import { parseCell } from "../../shared/tiles.ts";
import { inTurns, tilesAtOnce } from "../../shared/turns.ts";
import { uuid7 } from "../../shared/uuid7.ts";
import type { Along, AlongSquare, Pack } from "../along.ts";
import { keepCampaign } from "../kept.ts";
import { callAsVolunteer } from "../volunteer.ts";
import { dropPack, dropSquares, putPack, putSquare, putSquares, squaresOf, sweepTiles } from "./keep.ts";
import { bytesOf, screenZoom, tileUrls } from "./tiles.ts";

const AT_ONCE = 6;
const TRIES = 3;
const TRY_AGAIN_MS = 1000;

/** How far fetching is; `waits` while the network or the server is. */
export interface Taking {
  squares: number;
  done: number;
  bytes: number;
  bytes_estimate: number;
  waits: boolean;
}

/** What ended it: the server's words, no room left, or that there are no squares. */
export type Refused = { kind: "refused"; why: string } | { kind: "full" | "none" };

export const taking = signal<Taking | null>(null);
export const refused = signal<Refused | null>(null);

export interface Around {
  database: IDBDatabase | null;
  slug: string;
  campaign: Campaign;
  along: Along;
  cellPx(): number;
}

export class Taker {
  readonly #around: Around;
  #isRunning = false;
  /** Something was asked for meanwhile. */
  #again = false;
  #stopping = new AbortController();
  #attempt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(around: Around) {
    this.#around = around;
    addEventListener("online", () => this.#timer !== undefined && void this.goOn());
  }

  async take(wanted: number): Promise<void> {
    const { database, slug, along } = this.#around;
    refused.value = null;
    // The browser may else clear everything of this page when the device gets full.
    await navigator.storage?.persist?.().catch(() => false);
    try {
      await putPack(database, { id: uuid7(), campaign: slug, wanted, expires_at: null, bytes: 0 });
    } catch {
      refused.value = { kind: "full" };
      return;
    }
    taking.value = { squares: wanted, done: 0, bytes: 0, bytes_estimate: 0, waits: false };
    await along.recount();
    await this.goOn();
  }

  /** Finishes what was begun; tries again by itself while network or server are away. */
  async goOn(): Promise<void> {
    if (this.#isRunning) {
      this.#again = true;
      return;
    }
    this.#isRunning = true;
    this.#again = false;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#stopping = new AbortController();
    try {
      await this.#tidy();
      await this.#reserve();
      await this.#fetchImages();
      this.#attempt = 0;
      taking.value = null;
    } catch (failure) {
      this.#failed(failure);
    } finally {
      this.#isRunning = false;
      await this.#around.along.recount();
    }
    if (this.#again) await this.goOn();
  }

  /** Ends fetching; the squares that are whole stay. */
  async stop(): Promise<void> {
    this.#halt();
    const { database, slug, along } = this.#around;
    const loading = (await squaresOf(database, slug)).filter(({ state }) => state === "loading");
    await this.#drop(
      loading,
      (await along.packs()).filter(({ expires_at }) => expires_at === null),
    );
  }

  /** Takes everything of this campaign off the device, and gives what was not answered to others. */
  async remove(): Promise<void> {
    this.#halt();
    const { database, slug, along } = this.#around;
    await this.#drop(await squaresOf(database, slug), await along.packs());
  }

  #halt(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#stopping.abort();
    taking.value = null;
  }

  async #drop(squares: readonly AlongSquare[], packs: readonly Pack[]): Promise<void> {
    const { database, along } = this.#around;
    await dropSquares(database, squares).catch(() => {});
    for (const { id } of packs) await dropPack(database, id).catch(() => {});
    await sweepTiles(database);
    await along.recount();
    // Where the server cannot be reached its reservations end by themselves.
    for (const { id } of packs) await callAsVolunteer(`${this.#path()}/${id}`, { method: "DELETE" }).catch(() => {});
  }

  /** Packs that are done with, or reserved no longer while the server gives others. */
  async #tidy(): Promise<void> {
    const { database, slug, along } = this.#around;
    const squares = await squaresOf(database, slug);
    for (const pack of await along.packs()) {
      const own = squares.filter((square) => square.pack === pack.id);
      const isOver = navigator.onLine && Date.parse(pack.expires_at ?? "") < Date.now();
      const isDone = pack.expires_at !== null && own.every(({ state }) => state === "answered");
      if (!isOver && !isDone) continue;
      await dropSquares(database, own);
      await dropPack(database, pack.id);
    }
    await sweepTiles(database);
  }

  async #reserve(): Promise<void> {
    const { database, along } = this.#around;
    for (const pack of await along.packs()) {
      if (pack.expires_at !== null) continue;
      taking.value ??= { squares: pack.wanted, done: 0, bytes: 0, bytes_estimate: 0, waits: false };
      try {
        const body = { id: pack.id, cells: pack.wanted };
        await this.#accept(pack, await callAsVolunteer<Answer>(this.#path(), { method: "POST", body }));
      } catch (failure) {
        if (failure instanceof Problem && !failure.isPassing) await dropPack(database, pack.id);
        throw failure;
      }
    }
  }

  async #accept(pack: Pack, answer: Answer): Promise<void> {
    const { database, slug, campaign } = this.#around;
    if (answer.assignments.length === 0) {
      await dropPack(database, pack.id);
      refused.value = { kind: "none" };
      return;
    }
    await keepCampaign(database, slug, { ...campaign, ...answer.campaign, area: campaign.area });
    const assignments = answer.assignments
      .filter(({ state }) => state === "open")
      .map((square) => this.#assignment(square, answer));
    await putSquares(database, pack, assignments);
    await putPack(database, { ...pack, expires_at: answer.expires_at ?? null });
    const finest = new Map(assignments.map(({ imagery }) => [imagery!.key, imagery!.max_zoom]));
    const bytes = bytesOf(answer.tiles.layers, (layer) => finest.get(layer) ?? 0);
    const before = taking.value;
    if (before) taking.value = { ...before, bytes_estimate: before.bytes_estimate + bytes };
  }

  /** Its imagery ends at what this screen shows: nothing finer is asked for without a network. */
  #assignment(square: Answer["assignments"][number], { id, campaign }: Answer): Assignment {
    const { cell, bbox, lease_expires_at } = square;
    const imagery = square.imagery ?? campaign.imagery;
    const max_zoom = screenZoom(parseCell(cell).z, imagery, this.#around.cellPx(), devicePixelRatio);
    return {
      cell,
      bbox,
      lease_expires_at,
      reason: "pack",
      campaign_version: campaign.version,
      imagery: { ...imagery, max_zoom },
      pack: id,
    };
  }

  async #fetchImages(): Promise<void> {
    const { database, slug, along } = this.#around;
    const squares = await squaresOf(database, slug);
    const loading = squares.filter(({ state }) => state === "loading");
    if (loading.length === 0) return;
    const cache = await caches.open(TILES);
    const estimate = taking.value?.bytes_estimate ?? 0;
    let [done, bytes] = [0, 0];
    const tell = () =>
      (taking.value = { squares: loading.length, done, bytes, bytes_estimate: estimate, waits: false });
    tell();
    for (const square of loading) {
      const added = await this.#fetchSquare(cache, square);
      done += 1;
      bytes += added ?? 0;
      if (added === null) await dropSquares(database, [square]);
      else await this.#keepSquare(square, added);
      tell();
      await along.recount();
    }
  }

  async #keepSquare(square: AlongSquare, bytes: number): Promise<void> {
    const { database, along } = this.#around;
    await putSquare(database, { ...square, state: "ready" });
    const pack = (await along.packs()).find(({ id }) => id === square.pack);
    if (pack) await putPack(database, { ...pack, bytes: pack.bytes + bytes });
  }

  /** The bytes that were added; null for a square whose image cannot be had. */
  async #fetchSquare(cache: Cache, { assignment }: AlongSquare): Promise<number | null> {
    let bytes = 0;
    let failure: unknown = null;
    const atOnce = Math.min(AT_ONCE, tilesAtOnce());
    await inTurns(tileUrls(assignment, assignment.imagery!), atOnce, async (url) => {
      if (failure) return;
      try {
        bytes += await this.#fetchTile(cache, url);
      } catch (error) {
        failure ??= error;
      }
    });
    if (failure instanceof Problem && !failure.isPassing) return null;
    if (failure) throw failure;
    return bytes;
  }

  async #fetchTile(cache: Cache, url: string): Promise<number> {
    const { signal } = this.#stopping;
    for (let attempt = 1; ; attempt++) {
      signal.throwIfAborted();
      if (await cache.match(url)) return 0;
      try {
        const answer = await fetch(url, { signal }).catch(async (error) => Promise.reject(await toProblem(error)));
        if (!answer.ok) throw await toProblem(answer);
        const image = await answer.blob();
        await cache.put(url, new Response(image, { headers: { "Content-Type": image.type } }));
        return image.size;
      } catch (error) {
        signal.throwIfAborted();
        const mayCome = error instanceof Problem && error.isPassing && !error.isOffline;
        if (!mayCome || attempt >= TRIES) throw error;
        await new Promise((resolve) => setTimeout(resolve, error.retryAfterMs ?? TRY_AGAIN_MS * attempt));
      }
    }
  }

  #failed(failure: unknown): void {
    if (this.#stopping.signal.aborted) return;
    const isPassing = failure instanceof Problem && failure.isPassing;
    if (isPassing && taking.value) {
      taking.value = { ...taking.value, waits: true };
      this.#timer = setTimeout(() => void this.goOn(), backoffMs(this.#attempt++, failure.retryAfterMs));
      return;
    }
    taking.value = null;
    refused.value =
      failure instanceof Problem && !isPassing ? { kind: "refused", why: failure.message } : { kind: "full" };
  }

  #path(): string {
    return `/v1/campaigns/${encodeURIComponent(this.#around.slug)}/packs`;
  }
}
