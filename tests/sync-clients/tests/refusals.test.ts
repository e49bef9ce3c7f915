/** Clients that are refused for a while: they neither crash nor hang, and go on when the cause is gone. */

import { describe, expect, type TestContext, test } from "vitest";
import { eventually } from "../harness/eventually.ts";
import { BUSY, refusal, type Status } from "../harness/refusals.ts";
import { Scene, STOCKS } from "../harness/scene.ts";
import { lookAt, tagOf } from "../harness/wire.ts";

const PULL = /^GET .*\/pull\?/;
const PUSH = /^POST .*\/push$/;
/** Of each kind of refusal in a row. */
const TIMES = 3;

/** From these a client of either version recovers by itself. */
const PASSING: Status[] = [401, 409, 413, 429, 503];

describe.concurrent.each(STOCKS)("$name", (stock) => {
  async function connected(context: TestContext) {
    const scene = await Scene.begin(context);
    const [phone, other] = [await scene.phone(stock), await scene.phone(stock)];
    phone.connect(scene.network.url);
    await phone.looks.insert(lookAt(scene.campaign, 0));
    await scene.agree([phone], 1, 0);
    return { scene, phone, other };
  }

  test.for(PASSING)("pushes that are refused with %i are stored once the cause is gone", async (status, context) => {
    const { scene, phone } = await connected(context);
    scene.network.next(PUSH, refusal(status), TIMES);
    const look = lookAt(scene.campaign, 1);
    await phone.looks.insert(look);
    await phone.tags.insert(tagOf(look));
    await scene.agree([phone], 2, 1);
    expect(scene.network.left).toBe(0);
    expect(phone.errors.length).toBeGreaterThan(0);
  });

  test.for(PASSING)(
    "pulls that are refused with %i give everything once the cause is gone",
    async (status, context) => {
      const { scene, phone, other } = await connected(context);
      scene.network.next(PULL, refusal(status), TIMES);
      other.connect(scene.network.url);
      await scene.agree([phone, other], 1, 0);
      expect(scene.network.left).toBe(0);
      expect(other.errors.length).toBeGreaterThan(0);
    },
  );

  test("a busy page instead of an answer is passed over", async (context) => {
    const { scene, phone, other } = await connected(context);
    scene.network.next(PUSH, BUSY, TIMES);
    scene.network.next(PULL, BUSY, TIMES);
    const look = lookAt(scene.campaign, 2);
    await phone.looks.insert(look);
    other.connect(scene.network.url);
    await scene.agree([phone, other], 2, 0);
  });
});

describe.concurrent("RxDB 16", () => {
  const [stock] = STOCKS;

  test.for([
    [403, PUSH],
    [403, PULL],
    [426, PUSH],
    [426, PULL],
  ] as [Status, RegExp][])(
    "%i ends a replication, and a new one goes on from there (%s)",
    async ([status, path], context) => {
      const scene = await Scene.begin(context);
      const phone = await scene.phone(stock!);
      scene.network.next(path, refusal(status));
      const look = lookAt(scene.campaign, 0);
      phone.connect(scene.network.url);
      await phone.looks.insert(look);
      await eventually("the replication ends", () => phone.replications.get("looks")!.isStopped());
      await phone.disconnect();
      phone.connect(scene.network.url);
      await phone.tags.insert(tagOf(look));
      await scene.agree([phone], 1, 1);
    },
  );
});

describe.concurrent("RxDB 17", () => {
  const [, stock] = STOCKS;

  test("426 ends a replication, and a new one goes on from there", async (context) => {
    const scene = await Scene.begin(context);
    const phone = await scene.phone(stock!);
    scene.network.next(PULL, refusal(426));
    phone.connect(scene.network.url);
    await phone.looks.insert(lookAt(scene.campaign, 0));
    await eventually("the replication ends", () => phone.replications.get("looks")!.isStopped());
    await phone.disconnect();
    phone.connect(scene.network.url);
    await scene.agree([phone], 1, 0);
  });

  test("403 makes it wait, and it goes on by itself", { timeout: 180_000 }, async (context) => {
    const scene = await Scene.begin(context);
    const phone = await scene.phone(stock!);
    scene.network.next(PUSH, refusal(403));
    phone.connect(scene.network.url);
    await phone.looks.insert(lookAt(scene.campaign, 0));
    await eventually("it goes on", async () => Object.keys(await scene.stored("looks")).length === 1, 100_000);
  });

  test("a server with another history makes it begin again by itself", async (context) => {
    const scene = await Scene.begin(context);
    const phone = await scene.phone(stock!);
    phone.connect(scene.network.url);
    const look = lookAt(scene.campaign, 0);
    await phone.looks.insert(look);
    await scene.agree([phone], 1, 0);
    scene.network.next(PULL, refusal(426, "sync_start_again"), 2);
    scene.network.cutAll();
    await eventually("it was told", () => scene.network.left === 0);
    await phone.tags.insert(tagOf(look));
    await scene.agree([phone], 1, 1);
  });
});
