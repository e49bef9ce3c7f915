import pg from "pg";
import { inject, type TestContext } from "vitest";
import type { Volunteer } from "./api.ts";
import type { Doc, Look, Tag } from "./wire.ts";

/** A connection of the test's own to the database. */
export class Database {
  private constructor(private readonly client: pg.Client) {}

  /** Ends with the test. */
  static async open({ onTestFinished }: TestContext): Promise<Database> {
    const client = new pg.Client(inject("installation").database);
    await client.connect();
    onTestFinished(() => client.end());
    return new Database(client);
  }

  async rows<T extends pg.QueryResultRow>(statement: string, ...values: unknown[]): Promise<T[]> {
    const result = await this.client.query<T>(statement, values);
    return result.rows;
  }

  /** What a statement gives that gives one number. */
  async number(statement: string, ...values: unknown[]): Promise<number> {
    const [row] = await this.rows<{ [column: string]: string }>(statement, ...values);
    return Number(Object.values(row!)[0]);
  }

  /** Copies a look under another id, as a server stores one; gives the campaign's version that it keeps. */
  async copyLook(of: Volunteer, look: string, id: string): Promise<number> {
    const statement = `INSERT INTO looks SELECT (jsonb_populate_record(l, jsonb_build_object(
        'id', $1::text, 'xid', pg_current_xact_id()::text))).* FROM looks l WHERE l.volunteer_id = $2 AND l.id = $3
      RETURNING campaign_version`;
    return this.number(statement, id, of.id, look);
  }

  /** Whether a look, or a tag as it is here, is stored. */
  async holds(of: Volunteer, doc: Doc<Look> | Doc<Tag>): Promise<boolean> {
    if ("cell" in doc) return true;
    const statement = `SELECT t.note, t.withdrawn_at IS NOT NULL AS is_withdrawn
      FROM (SELECT id, note, withdrawn_at FROM tags WHERE volunteer_id = $1
            UNION ALL SELECT id, note, withdrawn_at FROM waiting_tags WHERE volunteer_id = $1) AS t WHERE t.id = $2`;
    const [row] = await this.rows<{ note: string | null; is_withdrawn: boolean }>(statement, of.id, doc.id);
    return row?.is_withdrawn === doc._deleted && (row.note ?? undefined) === doc.note;
  }

  async run(statement: string): Promise<void> {
    await this.client.query(statement);
  }
}
