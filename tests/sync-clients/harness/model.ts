/** What the servers have to do, in a few lines: documents by id, and the states that each has had. */

import type { AnyDoc, Written } from "./plain-phone.ts";
import { canonical } from "./scene.ts";
import { type Doc, living, type Row } from "./wire.ts";

/** A document as it is stored, after so many changes, and all that it was before, as text. */
interface Entry {
  readonly doc: AnyDoc;
  readonly revision: number;
  readonly states: readonly string[];
}

/** A push and what it was answered. */
export interface Pushed {
  rows: readonly Row[];
  conflicts: readonly AnyDoc[];
}

export class Model {
  private readonly shelves: Record<Written, Map<string, Entry>> = { looks: new Map(), tags: new Map() };

  /** Takes a push that was answered with these conflicts; throws when it must not have been. */
  push(of: Written, rows: readonly Row[], conflicts: readonly AnyDoc[]): void {
    const answered = new Map(conflicts.map((doc) => [doc.id, canonical(doc)]));
    for (const row of rows) {
      const { id } = row.newDocumentState;
      const conflict = this.takes(of, row) ? undefined : canonical(this.shelves[of].get(id)?.doc);
      if (conflict !== answered.get(id)) {
        throw new Error(`${of} ${canonical(row)}: answered ${answered.get(id)}, must be ${conflict}`);
      }
    }
  }

  /**
   * Takes two pushes that arrived at the same moment, each document's rows in either order. Where both orders explain the
   * answers, `stored` tells whether an end is the one that is stored.
   */
  async pushBoth(of: Written, both: readonly Pushed[], stored: (doc: AnyDoc) => Promise<boolean>): Promise<void> {
    const ids = new Set(both.flatMap(({ rows }) => rows.map((row) => row.newDocumentState.id)));
    for (const id of ids) {
      const pushes = both.map(({ rows, conflicts }) => ({
        rows: rows.filter((row) => row.newDocumentState.id === id),
        conflicts: conflicts.filter((doc) => doc.id === id),
      }));
      const ends = [pushes, pushes.toReversed()].map((order) => this.outcome(of, id, order));
      const possible = ends.filter((end) => end !== undefined);
      if (possible.length === 0) throw new Error(`${of}: no order explains ${canonical(pushes)}`);
      const isStored = await Promise.all(possible.map(async ({ doc }) => doc === undefined || (await stored(doc))));
      const end = possible[Math.max(isStored.indexOf(true), 0)]!;
      if (end.doc) this.shelves[of].set(id, end as Entry);
    }
  }

  /** How a document is after these pushes; nothing when they cannot have been answered so. */
  private outcome(of: Written, id: string, order: readonly Pushed[]): Partial<Entry> | undefined {
    const before = this.shelves[of].get(id);
    try {
      for (const { rows, conflicts } of order) this.push(of, rows, conflicts);
      return this.shelves[of].get(id) ?? {};
    } catch {
      return undefined;
    } finally {
      if (before) this.shelves[of].set(id, before);
      else this.shelves[of].delete(id);
    }
  }

  /** Checks a document that was pulled: a state that it has had. */
  pulled(of: Written, doc: AnyDoc): void {
    const states = this.shelves[of].get(doc.id)?.states;
    if (!states?.includes(canonical(doc))) throw new Error(`${of} never were ${canonical(doc)}`);
  }

  /** Everything that is not withdrawn, by id. */
  living(of: Written): Record<string, AnyDoc> {
    return living([...this.shelves[of].values()].map(({ doc }) => doc as Doc)) as Record<string, AnyDoc>;
  }

  /** One of what is stored. */
  pick(of: Written, pick: number): AnyDoc | undefined {
    const all = [...this.shelves[of].values()];
    return all[pick % all.length]?.doc;
  }

  private takes(of: Written, { newDocumentState, assumedMasterState }: Row): boolean {
    const doc = newDocumentState as AnyDoc;
    const kept = this.shelves[of].get(doc.id);
    if (!kept) {
      if (!doc._deleted) this.store(of, doc, kept);
      return true;
    }
    if (isSame(kept.doc, doc)) return true;
    // Whoever knows of no other state made it, and had no answer.
    const isKnown = assumedMasterState
      ? isSame(kept.doc, assumedMasterState as AnyDoc)
      : kept.revision === 1 && !kept.doc._deleted;
    if (of === "looks" || !isKnown) return false;
    // What was withdrawn is kept as it was.
    this.store(of, doc._deleted ? { ...kept.doc, _deleted: true } : doc, kept);
    return true;
  }

  private store(of: Written, doc: AnyDoc, kept: Entry | undefined): void {
    const states = [...(kept?.states ?? []), canonical(doc)];
    this.shelves[of].set(doc.id, { doc, revision: (kept?.revision ?? 0) + 1, states });
  }
}

function isSame(kept: AnyDoc, other: AnyDoc): boolean {
  return kept._deleted ? other._deleted : canonical(kept) === canonical(other);
}
