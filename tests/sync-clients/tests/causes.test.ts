/** Refusals as they really come about, on an installation that may be maltreated. */

import { afterAll, beforeAll, describe, expect, type TestContext, test } from "vitest";
import { eventually } from "../harness/eventually.ts";
import { type Installation, install } from "../harness/installation.ts";
import { Process, type Settings, spotter } from "../harness/processes.ts";
import type { RxPhone } from "../harness/rx-phone.ts";
import { Scene, STOCKS } from "../harness/scene.ts";
import { placeIn } from "../harness/squares.ts";
import { type Look, lookAt, push, type Tag, tagOf, WRITABLE } from "../harness/wire.ts";

let own: Installation;
let end: () => Promise<void>;

beforeAll(async () => {
  [own, end] = await install();
});

afterAll(() => end());

/** A volunteer whose calls go to one server with settings of its own. */
async function atServer(context: TestContext, settings: Settings): Promise<Scene> {
  const scene = await Scene.begin(context, own);
  const server = await Process.server({ ...own.settings, ...settings });
  context.onTestFinished(() => server.stop("SIGKILL"));
  scene.network.servers = [server.url];
  return scene;
}

function refusals(scene: Scene, status: number): number {
  return scene.network.passed.filter((one) => one.status === status).length;
}

describe.each(STOCKS)("$name", (stock) => {
  test("401: with a token that is none, until it has a good one", async (context) => {
    const scene = await Scene.begin(context, own);
    const phone = await scene.phone(stock);
    const { token } = scene.volunteer;
    scene.volunteer.token = `${token.slice(0, -4)}AAAA`;
    const look = lookAt(scene.campaign, 0);
    await phone.looks.insert(look);
    await phone.tags.insert(tagOf(look));
    phone.connect(scene.network.url);
    await eventually("it is refused", () => refusals(scene, 401) > 3);
    scene.volunteer.token = token;
    for (const replication of phone.replications.values()) replication.setToken(token);
    await scene.agree([phone], 1, 1);
    await eventually("streams are open", () => scene.network.streams === 2);
  });

  test("413: a push that is too large, until the app pushes less at once", async (context) => {
    const scene = await Scene.begin(context, own);
    const phone = await scene.phone(stock);
    const looks = Array.from({ length: 7 }, (_, number) => lookAt(scene.campaign, number));
    const tags = looks.flatMap((look) => Array.from({ length: 100 }, () => track(look)));
    await phone.looks.bulkInsert(looks);
    await phone.tags.bulkInsert(tags);
    phone.connect(scene.network.url, { pushBatch: 1000 });
    await eventually("it is refused", () => refusals(scene, 413) > 0);
    if (stock.name === "RxDB 16") {
      await phone.disconnect();
      phone.connect(scene.network.url, { pushBatch: 100 });
    }
    const all = async (one: RxPhone) => (await one.tags.count().exec()) === tags.length;
    const isStored = async () => Object.keys(await scene.stored("tags")).length === tags.length;
    await eventually("all is stored", isStored, 60_000);
    // Pages end by their bytes then; a new device gets everything all the same.
    const other = await scene.phone(stock);
    other.connect(scene.network.url, { pullBatch: 1000 });
    const before = scene.network.passed.length;
    await eventually("the other one has all", () => all(other), 60_000);
    const pages = scene.network.passed.slice(before).filter(({ path }) => path.includes("tags/0/pull?"));
    expect(pages.length).toBeGreaterThan(8);
  });

  test("426: an app of another version stops", async (context) => {
    const scene = await Scene.begin(context, own);
    const phone = await scene.phone(stock);
    if (stock.name === "RxDB 17") return context.skip("its adapter knows one version only");
    phone.connect(scene.network.url, { schemaVersion: 1 });
    await eventually("it stops", () => [...phone.replications.values()].every((one) => one.isStopped()));
    await eventually(
      "the app is told",
      () => phone.errors.filter((one) => one === "outdated").length === WRITABLE.length,
    );
  });

  test("429: more than a volunteer may, until the time is over", async (context) => {
    const scene = await atServer(context, { RATE_VOLUNTEER: "20/4" });
    const phone = await scene.phone(stock);
    const looks = Array.from({ length: 60 }, (_, number) => lookAt(scene.campaign, number));
    await phone.looks.bulkInsert(looks);
    phone.connect(scene.network.url, { pushBatch: 10 });
    await scene.agree([phone], 60, 0);
    expect(refusals(scene, 429)).toBeGreaterThan(0);
  });

  // The adapter waits for half a minute then, as it is told to.
  test.for(stock.name === "RxDB 16" ? ["read_only", "maintenance"] : ["maintenance"])(
    "503: %s, until it is over",
    async (mode, context) => {
      const scene = await Scene.begin(context, own);
      const phone = await scene.phone(stock);
      phone.connect(scene.network.url);
      await phone.looks.insert(lookAt(scene.campaign, 0));
      await scene.agree([phone], 1, 0);
      context.onTestFinished(async () => void (await spotter(own.settings, "mode", "normal")));
      await spotter(own.settings, "mode", mode);
      await eventually("servers refuse", () => answer(scene, 503));
      await phone.looks.insert(lookAt(scene.campaign, 1));
      await eventually("the phone is refused", () => refusals(scene, 503) > 0);
      scene.network.cutAll();
      await spotter(own.settings, "mode", "normal");
      await eventually("servers answer again", () => answer(scene, 200));
      const count = await phone.looks.count().exec();
      const isStored = async () => Object.keys(await scene.stored("looks")).length === count;
      await eventually("all is stored", isStored, 90_000);
      await eventually("streams are open", () => scene.network.streams === 2);
    },
  );
});

test("429: WatermelonDB sends nothing again that was taken, until all is there", async (context) => {
  const scene = await atServer(context, { RATE_VOLUNTEER: "600/3" });
  const phone = scene.watermelonPhone();
  await phone.add(Array.from({ length: 1500 }, (_, number) => lookAt(scene.campaign, number)));
  const isDone = () =>
    phone.sync().then(
      () => true,
      () => false,
    );
  await eventually("it is through", isDone);
  const pushes = scene.network.passed.filter(({ method }) => method === "POST");
  expect(pushes.filter(({ status }) => status === 204)).toHaveLength(6);
  expect(pushes.filter(({ status }) => status === 429).length).toBeGreaterThan(0);
  await eventually("all is there", async () => Object.keys(await scene.stored("looks")).length === 1500);
});

/** Whether both servers answer a push, of nothing, with this status. */
async function answer(scene: Scene, status: number): Promise<boolean> {
  const answers = await Promise.all(scene.servers.map((server) => push(server, scene.volunteer, "looks", [])));
  return answers.every((one) => one.status === status);
}

/** A tag with as many vertices as may be. */
function track(look: Look): Tag {
  const coordinates = Array.from({ length: 500 }, (_, step) => placeIn(look.cell, 0.1 + step / 700, 0.2 + step / 900));
  return { ...tagOf(look), tag_type: "track", geometry: { type: "LineString", coordinates } };
}
