/** The database is restored from a dump: phones are told, start again, and give back what the dump lacks. */

import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, type TestContext, test } from "vitest";
import { eventually } from "../harness/eventually.ts";
import { administrate, databaseUrl, type Installation, install } from "../harness/installation.ts";
import { Process } from "../harness/processes.ts";
import { Scene, STOCKS } from "../harness/scene.ts";
import { type Held, Refused, type WatermelonPhone } from "../harness/watermelon.ts";
import {
  type Doc,
  type Look,
  living,
  lookAt,
  newId,
  pullAll,
  push,
  type Tag,
  tagOf,
  WRITABLE,
} from "../harness/wire.ts";

const run = promisify(execFile);

let own: Installation;
let end: () => Promise<void>;

beforeAll(async () => {
  [own, end] = await install();
});

afterAll(() => end());

describe.each(STOCKS)("$name", (stock) => {
  test("looks that a restored database lacks come back from the phone", async (context) => {
    const scene = await Scene.begin(context, own);
    const phone = await scene.phone(stock);
    const looks = Array.from({ length: 20 }, (_, number) => lookAt(scene.campaign, number));
    phone.connect(scene.network.url);
    await phone.looks.bulkInsert(looks.slice(0, 10));
    await scene.agree([phone], 10, 0);
    const restore = await dump(context, own.database);
    await phone.looks.bulkInsert(looks.slice(10));
    const tag = tagOf(looks[0]!);
    await phone.tags.insert(tag);
    await scene.agree([phone], 20, 1);
    await pullsAgain(scene);

    const server = await restore(own);
    const restored = new Proxy(scene, {
      get: (whole, name) => (name === "servers" ? [server.url, server.url] : Reflect.get(whole, name, restored)),
    });
    scene.network.servers = [server.url];
    scene.network.cutAll();
    await restored.agree([phone], 20, 1);
  });
});

/** Only a replication that was told something before is told to begin again: both pull what they pushed. */
async function pullsAgain(scene: Scene): Promise<void> {
  const before = scene.network.passed.length;
  scene.network.cutAll();
  const pulls = () =>
    scene.network.passed.slice(before).filter(({ path, status }) => path.includes("/pull?") && status === 200);
  await eventually(
    "both have pulled",
    () => new Set(pulls().map(({ path }) => path.split("?")[0])).size === WRITABLE.length,
  );
}

test("WatermelonDB is told to start again, and nothing is lost that either side has", async (context) => {
  const scene = await Scene.begin(context, own);
  const phone = scene.watermelonPhone();
  const [known, lacking, fresh] = [0, 1, 2].map((number) => lookAt(scene.campaign, number)) as [Look, Look, Look];
  const [kept, edited, gone, going] = ["kept", "edited", "gone", "going"].map((note) =>
    tagOf(known, 0.5, 0.5, note),
  ) as [Tag, Tag, Tag, Tag];
  await phone.add([known], [kept, edited, gone, going]);
  await synced(phone);
  await phone.remove("tags", gone.id);
  await synced(phone);
  const restore = await dump(context, own.database);
  const late = tagOf(known, 0.4, 0.4, "late");
  await phone.add([lacking], [tagOf(lacking), late]);
  await synced(phone);
  await phone.remove("tags", going.id);
  await phone.note(edited.id, "edited without a network");
  await phone.note(late.id, "edited too");
  await phone.add([fresh], [tagOf(fresh)]);
  const held = async () => (await Promise.all(WRITABLE.map((table) => phone.held(table)))).map(alike);
  const before = await held();

  const server = await restore(own);
  scene.network.servers = [server.url];
  await expectRefused(phone.sync(), 426);
  await phone.startAgain();
  scene.network.next(/^POST/, { kind: "cut after" });
  await phone.sync().catch(() => {});
  const stored = async (of: (typeof WRITABLE)[number]) =>
    living((await pullAll(server.url, scene.volunteer, of)).values());
  await eventually("it is told of all looks", async () => {
    await synced(phone);
    return Object.keys(await phone.held("receipts")).length === 3;
  });
  expect(await held()).toEqual(before);
  for (const [place, table] of WRITABLE.entries()) {
    const ids = Object.keys(before[place]!).sort().join();
    await eventually(
      `all ${table} are stored`,
      async () =>
        Object.keys(await stored(table))
          .sort()
          .join() === ids,
    );
  }
  const tags = (await stored("tags")) as Record<string, Doc<Tag>>;
  expect(tags[edited.id]?.note).toBe("edited without a network");
  expect(tags[late.id]?.note).toBe("edited too");
});

test("WatermelonDB that starts again brings back nothing that another device withdrew", async (context) => {
  const scene = await Scene.begin(context, own);
  const phone = scene.watermelonPhone();
  const look = lookAt(scene.campaign, 0);
  const tag = tagOf(look);
  await phone.add([look], [tag]);
  await synced(phone);
  const before = { ...tag, _deleted: false };
  const withdrawal = [{ assumedMasterState: before, newDocumentState: { ...before, _deleted: true } }];
  const withdrawn = await push(scene.servers[0]!, scene.volunteer, "tags", withdrawal);
  expect(withdrawn.status).toBe(200);
  const stored = async () => living((await pullAll(scene.servers[0]!, scene.volunteer, "tags")).values());
  await eventually("the withdrawal is final", async () => Object.keys(await stored()).length === 0);
  await phone.startAgain();
  await synced(phone);
  expect(await phone.held("tags")).toEqual({});
  expect(await stored()).toEqual({});
  expect(Object.keys(await phone.held("looks"))).toEqual([look.id]);
});

/** Rows that differ in nothing but how the JSON of their geometry is written become equal. */
function alike(rows: Record<string, Held>): Record<string, Held> {
  const written = (text: string) => JSON.stringify(JSON.parse(text), ["coordinates", "type"]);
  const same = (row: Held) => ({ ...row, ...(row.geometry && { geometry: written(row.geometry) }) });
  return Object.fromEntries(Object.entries(rows).map(([id, row]) => [id, same(row)]));
}

/** Synchronizes, again after 409: what the phone pushed is told when all transactions that began before have ended. */
async function synced(phone: WatermelonPhone): Promise<void> {
  await eventually("it is in sync", () =>
    phone.sync().then(
      () => true,
      (error: unknown) => {
        if (error instanceof Refused && error.status === 409) return false;
        throw error;
      },
    ),
  );
}

async function expectRefused(sync: Promise<void>, status: number): Promise<void> {
  const refused = await sync.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(refused instanceof Refused) || refused.status !== status) throw new Error(`not ${status}: ${refused}`);
}

/** Dumps a database; the function restores it under another name and starts a server on it. */
async function dump(context: TestContext, database: string): Promise<(own: Installation) => Promise<Process>> {
  const name = `restored_${newId().replaceAll("-", "")}`;
  const file = `${own.settings.STORE}.${name}`;
  await run(tool("pg_dump"), ["--format=custom", `--file=${file}`, database]);
  return async ({ settings }) => {
    await administrate(`CREATE DATABASE ${name}`);
    context.onTestFinished(() => administrate(`DROP DATABASE ${name} WITH (FORCE)`));
    await run(tool("pg_restore"), [`--dbname=${databaseUrl(name, "direct")}`, "--no-owner", file]);
    const server = await Process.server({
      ...settings,
      DATABASE_URL: databaseUrl(name, "pooled"),
      CACHE_PREFIX: name.slice(-24),
    });
    context.onTestFinished(() => server.stop("SIGKILL"));
    return server;
  };
}

/** A program of the newest PostgreSQL here, as Debian places them. */
function tool(name: string): string {
  const all = "/usr/lib/postgresql";
  const [newest] = readdirSync(all).sort((a, b) => Number(b) - Number(a));
  return join(all, newest!, "bin", name);
}
