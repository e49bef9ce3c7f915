/** What the order of changes must stand: late commits, large transactions, positions from elsewhere. */

import { describe, expect, type TestContext, test } from "vitest";
import { expect as answered, call } from "../harness/api.ts";
import { Database } from "../harness/database.ts";
import { eventually } from "../harness/eventually.ts";
import { Scene, STOCKS } from "../harness/scene.ts";
import { type Checkpoint, FIRST, type Look, lookAt, newId, type Page, pull, push, tagOf } from "../harness/wire.ts";

test.for(STOCKS)("$name: what is committed late is not skipped", async (stock, context) => {
  const scene = await Scene.begin(context);
  const [phone, other] = [await scene.phone(stock), await scene.phone(stock)];
  phone.connect(scene.network.url);
  other.connect(scene.network.url);
  const look = lookAt(scene.campaign, 0);
  await phone.looks.insert(look);
  await scene.agree([phone, other], 1, 0);

  const slow = await Database.open(context);
  context.onTestFinished(() => slow.run("ROLLBACK"));
  const late = newId();
  await slow.run("BEGIN");
  await slow.copyLook(scene.volunteer, look.id, late);
  const quick = Array.from({ length: 5 }, (_, number) => lookAt(scene.campaign, number + 1));
  await phone.looks.bulkInsert(quick);
  const database = await Database.open(context);
  const count = "SELECT count(*) FROM looks WHERE volunteer_id = $1";
  await eventually("the quick ones are stored", async () => (await database.number(count, scene.volunteer.id)) === 6);
  // Somebody asks meanwhile and must not step over the late one.
  scene.network.cutAll();
  await eventually("streams are open again", () => scene.network.streams === 4);
  await slow.run("COMMIT");
  await scene.agree([phone, other], 7, 0);
  expect(await other.held("looks")).toHaveProperty([late]);
});

describe("pages", () => {
  async function pages(scene: Scene, limit: number, after: Checkpoint = FIRST): Promise<Page<Look>[]> {
    const all: Page<Look>[] = [];
    for (let checkpoint = after; ; checkpoint = all.at(-1)!.checkpoint) {
      const of = pull(scene.servers[all.length % 2]!, scene.volunteer, "looks", checkpoint, limit);
      all.push((await answered(200, of)) as Page<Look>);
      if (all.at(-1)!.documents.length < limit) return all;
    }
  }

  test.for([1, 7, 24, 25, 26])("of %i within one transaction give each document once", async (limit, context) => {
    const scene = await Scene.begin(context);
    const looks = Array.from({ length: 25 }, (_, number) => lookAt(scene.campaign, number));
    const rows = looks.map((look) => ({ newDocumentState: { ...look, _deleted: false } }));
    expect(await answered(200, push(scene.servers[0], scene.volunteer, "looks", rows))).toEqual([]);
    await eventually("all are below the horizon", async () => (await pages(scene, 1000))[0]!.documents.length === 25);
    const seen = (await pages(scene, limit)).flatMap((page) => page.documents.map(({ id }) => id));
    expect(seen).toHaveLength(25);
    expect(new Set(seen)).toEqual(new Set(looks.map(({ id }) => id)));
  });

  test("go on after the last one and end with the same checkpoint", async (context) => {
    const scene = await Scene.begin(context);
    const one = { newDocumentState: { ...lookAt(scene.campaign, 0), _deleted: false } };
    await answered(200, push(scene.servers[1], scene.volunteer, "looks", [one]));
    await eventually("it is there", async () => (await pages(scene, 10))[0]!.documents.length === 1);
    const { checkpoint } = (await pages(scene, 10))[0]!;
    const [nothing] = await pages(scene, 10, checkpoint);
    expect(nothing).toEqual({ documents: [], checkpoint });
    expect(checkpoint.lwt).toBeLessThanOrEqual(2 ** 53);
    expect(encodeURIComponent(checkpoint.id)).toBe(checkpoint.id);
  });
});

describe("checkpoints", () => {
  async function told(scene: Scene, checkpoint: Checkpoint): Promise<[number, unknown]> {
    const answer = await pull(scene.servers[0], scene.volunteer, "looks", checkpoint, 10);
    return [answer.status, await answer.json()];
  }

  async function current(context: TestContext): Promise<{ scene: Scene; checkpoint: Checkpoint }> {
    const scene = await Scene.begin(context);
    const look = lookAt(scene.campaign, 0);
    const rows = [{ newDocumentState: { ...look, _deleted: false } }];
    await answered(200, push(scene.servers[0], scene.volunteer, "looks", rows));
    const page = await eventually("it is there", async () => {
      const [, body] = await told(scene, FIRST);
      const page = body as Page<Look>;
      return page.documents.length === 1 ? page : undefined;
    });
    return { scene, checkpoint: page.checkpoint };
  }

  const START_AGAIN = expect.objectContaining({ code: "sync_start_again", error: true, status: 426 });

  test("of another history are told to start again", async (context) => {
    const { scene, checkpoint } = await current(context);
    const other = checkpoint.id.replace(/^\d+/, (epoch) => `${(Number(epoch) % 1000) + 1}`);
    expect(await told(scene, { ...checkpoint, id: other })).toEqual([426, START_AGAIN]);
  });

  test("from the future are told to start again", async (context) => {
    const { scene, checkpoint } = await current(context);
    expect(await told(scene, { ...checkpoint, lwt: checkpoint.lwt + 1e9 })).toEqual([426, START_AGAIN]);
  });

  test.for(["x", "%00", "1.2.3", "not-a-uuid"])("that are none (%s) are refused", async (id, context) => {
    const { scene, checkpoint } = await current(context);
    const [status, body] = await told(scene, { ...checkpoint, id });
    expect([400, 426]).toContain(status);
    expect(body).toMatchObject({ error: true, status });
  });

  test("of an older schema are told to update", async (context) => {
    const { scene } = await current(context);
    const path = "/v1/sync/rxdb/looks/1/pull?lwt=0&id=&limit=10";
    const answer = await call(scene.servers[0], "GET", path, scene.volunteer.token);
    expect(answer.status).toBe(426);
    expect(await answer.json()).toMatchObject({ code: "schema_outdated", error: true });
  });

  test("RxDB 16 that is told to start again does so under another identifier, and nothing is doubled", async (context) => {
    const scene = await Scene.begin(context);
    const phone = await scene.phone(STOCKS[0]!);
    const look = lookAt(scene.campaign, 0);
    await phone.looks.insert(look);
    await phone.tags.insert(tagOf(look));
    phone.connect(scene.network.url);
    await scene.agree([phone], 1, 1);
    await phone.disconnect();
    phone.connect(scene.network.url, { identifier: "again" });
    await scene.agree([phone], 1, 1);
  });
});
