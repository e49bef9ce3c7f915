/** A phone with a WatermelonDB database on its LokiJS adapter. */

import { createRequire } from "node:module";
import type { Database, Model } from "@nozbe/watermelondb";
import type { Volunteer } from "./api.ts";
import { startAgain, sync } from "./samples/watermelon.ts";
import { type Look, READABLE, type Tag, WRITABLE } from "./wire.ts";

// Its modules are folders, which Node finds only in this way.
const require = createRequire(import.meta.url);
const watermelon = require("@nozbe/watermelondb") as typeof import("@nozbe/watermelondb");
const { default: LokiJSAdapter } = require("@nozbe/watermelondb/adapters/lokijs");
const { schemaMigrations } =
  require("@nozbe/watermelondb/Schema/migrations") as typeof import("@nozbe/watermelondb/Schema/migrations");
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
      migrations: schemaMigrations({ migrations: [] }),
      useWebWorker: false,
      useIncrementalIndexedDB: true,
      _testLokiAdapter: new LokiMemoryAdapter(),
    });
    this.database = new watermelon.Database({ adapter, modelClasses: MODELS });
  }

  /** Pulls and pushes, as an app does it. */
  sync(): Promise<void> {
    return sync(this.database, (path, options) => this.call(path, options));
  }

  /** As an app does that is told to start again. */
  startAgain(): Promise<void> {
    return startAgain(this.database);
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

  private async call(path: string, options?: RequestInit): Promise<Response> {
    const headers = { authorization: `Bearer ${this.volunteer.token}`, "content-type": "application/json" };
    const answer = await fetch(this.server + path, { ...options, headers });
    if (!answer.ok) throw new Refused(answer.status, await answer.text());
    return answer;
  }
}
