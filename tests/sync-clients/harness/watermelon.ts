/** A phone with a WatermelonDB database on its LokiJS adapter. */

import { createRequire } from "node:module";
import type { Database, Model } from "@nozbe/watermelondb";
import type { SyncDatabaseChangeSet } from "@nozbe/watermelondb/sync";
import type { Volunteer } from "./api.ts";
import { type Look, READABLE, type Tag, WRITABLE } from "./wire.ts";

// Its modules are folders, which Node finds only in this way.
const require = createRequire(import.meta.url);
const watermelon = require("@nozbe/watermelondb") as typeof import("@nozbe/watermelondb");
const { default: LokiJSAdapter } = require("@nozbe/watermelondb/adapters/lokijs");
const { synchronize } = require("@nozbe/watermelondb/sync") as typeof import("@nozbe/watermelondb/sync");
const { LokiMemoryAdapter } = require("lokijs");

type Table = (typeof WRITABLE)[number] | (typeof READABLE)[number];

const COLUMNS: Record<Table, string[]> = {
  looks: ["campaign", "cell", "outcome", "started_at", "finished_at"],
  tags: ["look_id", "campaign", "tag_type", "geometry", "note?"],
  campaigns: ["slug", "title", "state", "tag_types"],
  assignments: ["pack_id", "campaign", "cell", "bbox", "lease_expires_at", "state"],
  receipts: ["campaign", "cell", "verdict", "standing?", "code?", "detail?"],
};

const SCHEMA = watermelon.appSchema({
  version: 1,
  tables: [...WRITABLE, ...READABLE].map((name) =>
    watermelon.tableSchema({
      name,
      columns: COLUMNS[name].map((column) => ({
        name: column.replace("?", ""),
        type: "string" as const,
        isOptional: column.endsWith("?"),
      })),
    }),
  ),
});

const MODELS = [...WRITABLE, ...READABLE].map(
  (name) =>
    class extends watermelon.Model {
      static override table = name;
    },
);

/** An answer that is no success. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly body: string,
  ) {
    super(`${status}: ${body}`);
  }
}

/** A row as the tests compare it, without what only the phone keeps. */
export type Held = Record<string, string | null>;

export class WatermelonPhone {
  private readonly database: Database;

  constructor(
    private readonly server: string,
    readonly volunteer: Volunteer,
  ) {
    const adapter = new LokiJSAdapter({
      schema: SCHEMA,
      useWebWorker: false,
      useIncrementalIndexedDB: true,
      _testLokiAdapter: new LokiMemoryAdapter(),
    });
    this.database = new watermelon.Database({ adapter, modelClasses: MODELS });
  }

  /** Pulls, then pushes, as an app does it. */
  async sync(): Promise<void> {
    await synchronize({
      database: this.database,
      sendCreatedAsUpdated: true,
      pullChanges: async ({ lastPulledAt, schemaVersion, migration }) => {
        const query = `last_pulled_at=${lastPulledAt}&schema_version=${schemaVersion}&migration=${encodeURIComponent(JSON.stringify(migration))}`;
        return (await this.ask("GET", query)) as { changes: SyncDatabaseChangeSet; timestamp: number };
      },
      pushChanges: async ({ changes, lastPulledAt }) => {
        await this.ask("POST", `last_pulled_at=${lastPulledAt}`, changes);
      },
    });
  }

  /** Forgets everything, as an app does that is told to start again. */
  startAgain(): Promise<void> {
    return this.database.write(() => this.database.unsafeResetDatabase());
  }

  add(looks: Look[], tags: Tag[] = []): Promise<void> {
    return this.database.write(async () => {
      const made = [
        ...looks.map((look) => this.prepared("looks", look)),
        ...tags.map((tag) => this.prepared("tags", { ...tag, geometry: JSON.stringify(tag.geometry) })),
      ];
      await this.database.batch(...made);
    });
  }

  note(id: string, note: string): Promise<void> {
    return this.database.write(async () => {
      const tag = await this.database.get("tags").find(id);
      await tag.update((record) => record._setRaw("note", note));
    });
  }

  remove(table: Table, id: string): Promise<void> {
    return this.database.write(async () => (await this.database.get(table).find(id)).markAsDeleted());
  }

  /** All that a table holds, by id. */
  async held(table: Table): Promise<Record<string, Held>> {
    const found = await this.database.get(table).query().fetch();
    const columns = ["id", ...COLUMNS[table].map((column) => column.replace("?", ""))];
    const plain = (record: Model) =>
      Object.fromEntries(columns.map((column) => [column, record._getRaw(column) as string | null]));
    return Object.fromEntries(found.map((record) => [record.id, plain(record)]));
  }

  private prepared(table: Table, fields: object): Model {
    return this.database.get(table).prepareCreate((record) => {
      for (const [column, value] of Object.entries(fields)) {
        if (column === "id") record._raw.id = value;
        else record._setRaw(column, value);
      }
    });
  }

  private async ask(method: "GET" | "POST", query: string, body?: unknown): Promise<unknown> {
    const answer = await fetch(`${this.server}/v1/sync/watermelondb?${query}`, {
      method,
      headers: { authorization: `Bearer ${this.volunteer.token}`, "content-type": "application/json" },
      body: body === undefined ? null : JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Refused(answer.status, text);
    return text ? JSON.parse(text) : undefined;
  }
}
