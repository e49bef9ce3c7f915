/** A database of its own, servers, a worker, and a campaign on which tests look. */

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { type Campaign, openCampaign } from "./organiser.ts";
import { Process, type Settings, spotter } from "./processes.ts";
import { newId } from "./wire.ts";

/** What tests get of it. */
export interface Installation {
  /** Addresses of the two servers. */
  servers: [string, string];
  /** With which more servers can be started, and commands run. */
  settings: Settings;
  /** The database, past no pooler. */
  database: string;
  campaign: Campaign;
}

/** Cells of the campaign, each way. */
const SIDE = 64;

/** Makes one; the function ends it. */
export async function install(): Promise<[Installation, () => Promise<void>]> {
  const name = `sync_${newId().replaceAll("-", "")}`;
  const folder = mkdtempSync(join(tmpdir(), "spotter-sync."));
  await administrate(`CREATE DATABASE ${name}`);
  const settings: Settings = {
    DATABASE_URL: databaseUrl(name, "pooled"),
    DATABASE_POOL_SIZE: "4",
    DATABASE_WAIT_MS: "10000",
    MEMCACHED: needed("MEMCACHED"),
    CACHE_PREFIX: name.slice(-24),
    STORE: join(folder, "store"),
    TOKEN_KEYS: `k1:${"aa".repeat(32)}`,
    ALLOW_INTERNAL_SOURCES: "true",
    HTTP_WORKERS: "2",
    SHUTDOWN_SECONDS: "5",
    LOG: "warn",
    LOG_FILE: join(folder, "log"),
  };
  // Past the pooler, which may let go of a database that is so new.
  await spotter({ ...settings, DATABASE_URL: databaseUrl(name, "direct") }, "migrate");
  const first = await Process.server(settings);
  const second = await Process.server(settings);
  const worker = Process.worker(settings);
  const installation: Installation = {
    servers: [first.url, second.url],
    settings,
    database: databaseUrl(name, "direct"),
    campaign: await openCampaign(first.url, settings, SIDE),
  };
  const end = async () => {
    await Promise.all([first, second, worker].map((process) => process.stop("SIGKILL")));
    await administrate(`DROP DATABASE ${name} WITH (FORCE)`);
    const log = readFileSync(settings.LOG_FILE!, "utf8");
    if (log) process.stdout.write(`the servers logged:\n${log.slice(-4000)}\n`);
    rmSync(folder, { recursive: true });
  };
  return [installation, end];
}

/** Runs a statement outside of the tests' databases. */
export async function administrate(statement: string): Promise<void> {
  const client = new pg.Client(needed("DATABASE_URL"));
  await client.connect();
  await client.query(statement);
  await client.end();
}

/** The address of a database, for the program (which goes past a pooler if there is one) or for tests. */
export function databaseUrl(name: string, way: "pooled" | "direct"): string {
  const url = new URL((way === "pooled" && process.env.PGBOUNCER_URL) || needed("DATABASE_URL"));
  url.pathname = name;
  return url.toString();
}

function needed(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} must name a service; \`spotter dev --services\` starts it`);
  return value;
}
