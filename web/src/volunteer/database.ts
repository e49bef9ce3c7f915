/**
 * This device's database: what the server has not yet acknowledged, a list of one's own looks, and what was taken along
 * for times without a network.
 */

export const OUTBOX = "looks";
export const LOG = "log";
export const CAMPAIGNS = "campaigns";
export const PACKS = "packs";
export const SQUARES = "squares";
const STORES = [OUTBOX, LOG, CAMPAIGNS, PACKS, SQUARES];
const VERSION = 3;

export function finished<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** Null where nothing can be stored, as in some private windows. */
export async function openDatabase(name = "spotter"): Promise<IDBDatabase | null> {
  try {
    const request = indexedDB.open(name, VERSION);
    request.onupgradeneeded = () => {
      for (const store of STORES) {
        if (!request.result.objectStoreNames.contains(store))
          request.result.createObjectStore(store, { keyPath: "id" });
      }
    };
    const database = await finished(request);
    // A newer page in another tab must not wait for this one; what comes then stays in this tab.
    database.onversionchange = () => database.close();
    return database;
  } catch {
    return null;
  }
}

/** Runs `work` in a transaction of its own; resolves when it is on the disk, rejects when nothing was stored. */
export function write(
  database: IDBDatabase | null,
  store: string,
  work: (store: IDBObjectStore) => void,
  durability: IDBTransactionDurability = "strict",
): Promise<void> {
  return new Promise((resolve, reject) => {
    if (!database) {
      reject(new Error("no database"));
      return;
    }
    const transaction = database.transaction(store, "readwrite", { durability });
    transaction.oncomplete = () => resolve();
    transaction.onerror = () => reject(transaction.error);
    transaction.onabort = () => reject(transaction.error);
    work(transaction.objectStore(store));
  });
}

export function readAll<T>(database: IDBDatabase | null, store: string): Promise<T[]> {
  if (!database) return Promise.resolve([]);
  try {
    return finished(database.transaction(store).objectStore(store).getAll() as IDBRequest<T[]>).catch(() => []);
  } catch {
    // Closed for a newer page.
    return Promise.resolve([]);
  }
}
