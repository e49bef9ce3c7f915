/** A phone with an RxDB database whose collections are kept in step by a stock replication. */

import type { RxCollection, RxDatabase, RxJsonSchema } from "rxdb/plugins/core";
import type { Volunteer } from "./api.ts";
import { eventually } from "./eventually.ts";
import { type Collection, type Doc, type Look, newId, type Tag, WRITABLE } from "./wire.ts";

/** Pause before a retry, in milliseconds. */
export const RETRY_MS = 100;

/** A replication that runs. */
export interface Replication {
  cancel(): Promise<unknown>;
  /** Whether it has ended by itself. */
  isStopped(): boolean;
  /** Other headers from now on, where the client can do that. */
  setToken(token: string): void;
}

/** How one collection is replicated. */
export interface Options {
  /** Address of the servers. */
  server: string;
  volunteer: Volunteer;
  collection: RxCollection;
  name: Collection;
  isWritable: boolean;
  /** By which the replication finds its checkpoint again. */
  identifier: string;
  live: boolean;
  pullBatch: number;
  pushBatch: number;
  schemaVersion: number;
  /** Told of the code of each error. */
  onError(code: string): void;
}

/** A version of RxDB and its replication. */
export interface Stock {
  name: string;
  database(name: string): Promise<RxDatabase>;
  replicate(options: Options): Replication;
}

export interface Choice {
  live?: boolean;
  pullBatch?: number;
  pushBatch?: number;
  identifier?: string;
  schemaVersion?: number;
}

const TEXT = { type: "string" };

const PROPERTIES: Record<Collection, Record<string, object>> = {
  looks: {
    campaign: TEXT,
    cell: TEXT,
    outcome: TEXT,
    started_at: TEXT,
    finished_at: TEXT,
    campaign_version: { type: "integer" },
  },
  tags: { look_id: TEXT, campaign: TEXT, tag_type: TEXT, geometry: { type: "object" }, note: TEXT },
  campaigns: { slug: TEXT, state: TEXT, version: { type: "integer" }, tag_types: { type: "array" } },
  assignments: { pack_id: TEXT, campaign: TEXT, cell: TEXT, bbox: { type: "array" }, state: TEXT },
  receipts: { campaign: TEXT, cell: TEXT, verdict: TEXT, standing: TEXT, code: TEXT, detail: TEXT },
};

export class RxPhone {
  replications = new Map<Collection, Replication>();
  /** What replications reported, by their codes. */
  readonly errors: string[] = [];

  private constructor(
    private readonly stock: Stock,
    private readonly storage: string,
    private database: RxDatabase,
    readonly volunteer: Volunteer,
    private readonly collections: readonly Collection[],
  ) {}

  static async make(stock: Stock, volunteer: Volunteer, collections: readonly Collection[]): Promise<RxPhone> {
    const storage = `phone-${newId()}`;
    return new RxPhone(stock, storage, await open(stock, storage, collections), volunteer, collections);
  }

  /** The app ends and is started again; what it stored is there. */
  async restart(): Promise<void> {
    await this.database.close();
    this.replications.clear();
    this.database = await open(this.stock, this.storage, this.collections);
  }

  close(): Promise<boolean> {
    return this.database.close();
  }

  collection<T>(name: Collection): RxCollection<T> {
    return this.database.collections[name] as RxCollection<T>;
  }

  get looks(): RxCollection<Look> {
    return this.collection("looks");
  }

  get tags(): RxCollection<Tag> {
    return this.collection("tags");
  }

  /** Begins to replicate. */
  connect(server: string, choice: Choice = {}): void {
    for (const name of this.collections) {
      const replication = this.stock.replicate({
        server,
        volunteer: this.volunteer,
        collection: this.database.collections[name]!,
        name,
        isWritable: WRITABLE.some((one) => one === name),
        identifier: choice.identifier ?? name,
        live: choice.live ?? true,
        pullBatch: choice.pullBatch ?? 100,
        pushBatch: choice.pushBatch ?? 100,
        schemaVersion: choice.schemaVersion ?? 0,
        onError: (code) => this.errors.push(code),
      });
      this.replications.set(name, replication);
    }
  }

  async disconnect(): Promise<void> {
    await Promise.all([...this.replications.values()].map((one) => one.cancel()));
    this.replications.clear();
  }

  /** All that a collection holds now, by id, as it would cross the wire. */
  async held<T extends { id: string }>(name: Collection): Promise<Record<string, Doc<T>>> {
    const found = await this.collection<T>(name).find().exec();
    return Object.fromEntries(found.map((doc) => [doc.primary, { ...doc.toJSON(), _deleted: false } as Doc<T>]));
  }

  /** Waits until a collection has so many documents. */
  async holds(name: Collection, count: number): Promise<void> {
    const what = `${this.stock.name} holds ${count} ${name}`;
    await eventually(what, async () => (await this.collection(name).count().exec()) === count);
  }
}

async function open(stock: Stock, name: string, collections: readonly Collection[]): Promise<RxDatabase> {
  const database = await stock.database(name);
  await database.addCollections(Object.fromEntries(collections.map((one) => [one, { schema: schema(one) }])));
  return database;
}

function schema(name: Collection): RxJsonSchema<unknown> {
  const id = { type: "string", maxLength: 36 };
  return { version: 0, primaryKey: "id", type: "object", properties: { id, ...PROPERTIES[name] } } as never;
}
