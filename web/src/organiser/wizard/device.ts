/**
 * The drafts on this device: one record each in IndexedDB, because an area may be larger than localStorage takes.
 *
 * Invariant: every function settles; when the device keeps nothing (private window, full disk) it says so with false
 * or null, and the wizard goes on in memory.
 */
import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import type { Stored } from "./definition.ts";
import type { Draft } from "./draft.ts";

export interface DraftRecord {
  id: string;
  draft: Draft;
  /** The draft as the server has it; null while it is on this device only. */
  stored: Stored | null;
  /** False when the server has exactly this. */
  isUnsaved: boolean;
  changedAt: number;
}

interface Schema extends DBSchema {
  drafts: { key: string; value: DraftRecord };
}

let opened: Promise<IDBPDatabase<Schema>> | null = null;

function database(): Promise<IDBPDatabase<Schema>> {
  opened ??= openDB<Schema>("spotter-organiser", 1, {
    upgrade(db) {
      db.createObjectStore("drafts", { keyPath: "id" });
    },
    terminated() {
      opened = null;
    },
  });
  return opened;
}

export async function keep(record: DraftRecord): Promise<boolean> {
  try {
    await (await database()).put("drafts", record);
    return true;
  } catch {
    return false;
  }
}

export async function recall(id: string): Promise<DraftRecord | null> {
  try {
    return (await (await database()).get("drafts", id)) ?? null;
  } catch {
    return null;
  }
}

/** Newest first. */
export async function recallAll(): Promise<DraftRecord[]> {
  try {
    const all = await (await database()).getAll("drafts");
    return all.sort((a, b) => b.changedAt - a.changedAt);
  } catch {
    return [];
  }
}

export async function forget(id: string): Promise<void> {
  try {
    await (await database()).delete("drafts", id);
  } catch {
    // Nothing was kept here, so nothing is left.
  }
}
