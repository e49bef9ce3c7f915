/** The database is restored from a dump: phones are told, start again, and give back what the dump lacks. */

import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, type TestContext, test } from "vitest";
import { eventually } from "../harness/eventually.ts";
import { administrate, databaseUrl, type Installation, install } from "../harness/installation.ts";
import { Process } from "../harness/processes.ts";
import { Scene, STOCKS } from "../harness/scene.ts";
import { Refused } from "../harness/watermelon.ts";
import { lookAt, newId, tagOf } from "../harness/wire.ts";

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

    const server = await restore(own);
    const restored = new Proxy(scene, {
      get: (whole, name) => (name === "servers" ? [server.url, server.url] : Reflect.get(whole, name, restored)),
    });
    scene.network.servers = [server.url];
    scene.network.cutAll();
    if (stock.name === "RxDB 16") {
      // A replication that was told anything before ends, and the app begins all of them again.
      await eventually("one ends", () => [...phone.replications.values()].some((one) => one.isStopped()));
      await phone.disconnect();
      phone.connect(scene.network.url, { identifier: "again" });
    }
    await restored.agree([phone], 20, 1);
  });
});

test("WatermelonDB is told to start again, and has everything afterwards", async (context) => {
  const scene = await Scene.begin(context, own);
  const phone = scene.watermelonPhone();
  const look = lookAt(scene.campaign, 0);
  await phone.add([look], [tagOf(look)]);
  await phone.sync();
  await phone.sync();
  const restore = await dump(context, own.database);
  const server = await restore(own);
  scene.network.servers = [server.url];
  await expectRefused(phone.sync(), 426);
  await phone.startAgain();
  await eventually("it has everything again", async () => {
    await phone.sync();
    const [looks, tags] = [await phone.held("looks"), await phone.held("tags")];
    return Object.keys(looks).length === 1 && Object.keys(tags).length === 1;
  });
});

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
