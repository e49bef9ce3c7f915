/** A phone that speaks the RxDB wire by hand, by the rules of RxDB's replication, fast enough for many thousand steps. */

import { call, expect, type Volunteer } from "./api.ts";
import { canonical } from "./scene.ts";
import { type Checkpoint, type Doc, FIRST, type Look, type Page, pull, type Row, type Tag, WRITABLE } from "./wire.ts";

export type Written = (typeof WRITABLE)[number];
export type AnyDoc = Doc<Look> | Doc<Tag>;

/** What a network does to one request. */
export type Luck = "arrives" | "request lost" | "answer lost";

/** One collection on the phone. */
interface Shelf {
  /** As the phone shows them. */
  docs: Map<string, AnyDoc>;
  /** As the phone believes them to be at the servers. */
  assumed: Map<string, AnyDoc>;
  checkpoint: Checkpoint;
  /**
   * Pulled documents that were passed over because they were changed here. They are pushed even if they have become
   * again what they were. (RxDB does not do that, and misses such a document until its next change.)
   */
  passedOver: Set<string>;
}

export class PlainPhone {
  readonly shelves: Record<Written, Shelf> = { looks: shelf(), tags: shelf() };
  /** At which server the next request arrives. */
  server = 0;

  constructor(
    private readonly servers: readonly string[],
    private readonly volunteer: Volunteer,
  ) {}

  write(of: Written, doc: AnyDoc): void {
    this.shelves[of].docs.set(doc.id, doc);
  }

  get(of: Written, id: string): AnyDoc | undefined {
    return this.shelves[of].docs.get(id);
  }

  /** What was written here and is not known to be stored. */
  dirty(of: Written): Row[] {
    const { docs, assumed, passedOver } = this.shelves[of];
    const rows: Row[] = [];
    for (const [id, newDocumentState] of docs) {
      const assumedMasterState = assumed.get(id);
      const isKnown = assumedMasterState && canonical(assumedMasterState) === canonical(newDocumentState);
      if (isKnown && !passedOver.has(id)) continue;
      rows.push({ newDocumentState, ...(assumedMasterState && { assumedMasterState }) });
    }
    return rows;
  }

  /** Sends rows; gives the answer, even if the phone does not get to see it. */
  async send(of: Written, rows: Row[], luck: Luck): Promise<AnyDoc[] | undefined> {
    if (luck === "request lost") return undefined;
    const path = `/v1/sync/rxdb/${of}/0/push`;
    const asked = call(this.servers[this.server]!, "POST", path, this.volunteer.token, rows);
    const conflicts = (await expect(200, asked)) as AnyDoc[];
    if (luck === "arrives") this.heed(of, rows, conflicts);
    return conflicts;
  }

  private heed(of: Written, rows: Row[], conflicts: AnyDoc[]): void {
    const { docs, assumed, passedOver } = this.shelves[of];
    const instead = new Map(conflicts.map((doc) => [doc.id, doc]));
    for (const { newDocumentState } of rows) {
      const { id } = newDocumentState;
      const doc = instead.get(id) ?? (newDocumentState as AnyDoc);
      assumed.set(id, doc);
      passedOver.delete(id);
      // What was written meanwhile stays, and is pushed on top of that.
      if (docs.get(id) === newDocumentState) docs.set(id, doc);
    }
  }

  /** Pulls one page; gives its documents, even if the phone does not get to see them. */
  async fetch(of: Written, limit: number, luck: Luck): Promise<AnyDoc[]> {
    if (luck === "request lost") return [];
    const { docs, assumed, checkpoint, passedOver } = this.shelves[of];
    const asked = pull(this.servers[this.server]!, this.volunteer, of, checkpoint, limit);
    const page = (await expect(200, asked)) as Page<Look | Tag>;
    if (luck === "answer lost") return page.documents as AnyDoc[];
    const waiting = new Set(this.dirty(of).map(({ newDocumentState }) => newDocumentState.id));
    for (const doc of page.documents as AnyDoc[]) {
      // A document that was changed here is settled by its push.
      if (waiting.has(doc.id)) {
        passedOver.add(doc.id);
        continue;
      }
      docs.set(doc.id, doc);
      assumed.set(doc.id, doc);
    }
    this.shelves[of].checkpoint = page.checkpoint;
    return page.documents as AnyDoc[];
  }

  /** The app lost its data, as when it is installed anew. */
  forget(): void {
    for (const of of WRITABLE) this.shelves[of] = shelf();
  }
}

function shelf(): Shelf {
  return { docs: new Map(), assumed: new Map(), checkpoint: FIRST, passedOver: new Set() };
}
