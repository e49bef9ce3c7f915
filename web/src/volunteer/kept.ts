/**
 * What a page that is opened without a network needs: itself, and its search as it was when it was opened last.
 */
import type { Campaign } from "../shared/contract.ts";
import { CAMPAIGNS, finished, write } from "./database.ts";

/** More than anybody works on. */
const MOST = 20;

interface KeptCampaign {
  id: string;
  at: number;
  campaign: Campaign;
}

/** Keeps a search under the address of its page; nothing depends on it while there is a network. */
export async function keepCampaign(database: IDBDatabase | null, slug: string, campaign: Campaign): Promise<void> {
  await write(database, CAMPAIGNS, (store) => {
    store.put({ id: slug, at: Date.now(), campaign } satisfies KeptCampaign);
    const all = store.getAll() as IDBRequest<KeptCampaign[]>;
    all.onsuccess = () => {
      const byAge = all.result.sort((a, b) => b.at - a.at);
      for (const { id } of byAge.slice(MOST)) store.delete(id);
    };
  }).catch(() => {});
}

export async function keptCampaign(database: IDBDatabase | null, slug: string): Promise<Campaign | null> {
  if (!database) return null;
  try {
    const found = database.transaction(CAMPAIGNS).objectStore(CAMPAIGNS).get(slug) as IDBRequest<
      KeptCampaign | undefined
    >;
    return (await finished(found))?.campaign ?? null;
  } catch {
    // Closed for a newer page.
    return null;
  }
}

/** Has the browser keep the page's files, once nobody waits for anything more urgent. */
export async function keepPage(): Promise<void> {
  // Over plain HTTP there is none.
  await navigator.serviceWorker?.register("/offline.js").catch(() => {});
}
