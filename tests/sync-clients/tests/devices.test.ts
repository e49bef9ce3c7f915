/** Two devices of one volunteer, each with a stock client. */

import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, type TestContext, test, vi } from "vitest";
import { eventually } from "../harness/eventually.ts";
import type { RxPhone } from "../harness/rx-phone.ts";
import { Scene, STOCKS } from "../harness/scene.ts";
import { lookAt, tagOf } from "../harness/wire.ts";

describe.each(STOCKS)("$name", (stock) => {
  async function two(context: TestContext): Promise<{ scene: Scene; first: RxPhone; second: RxPhone }> {
    const scene = await Scene.begin(context);
    return { scene, first: await scene.phone(stock), second: await scene.phone(stock) };
  }

  test("a new device gets everything that its volunteer made", async (context) => {
    const { scene, first, second } = await two(context);
    const looks = Array.from({ length: 250 }, (_, number) => lookAt(scene.campaign, number));
    await first.looks.bulkInsert(looks);
    await first.tags.bulkInsert(looks.flatMap((look) => [tagOf(look, 0.2), tagOf(look, 0.8, 0.3, "a wing?")]));
    first.connect(scene.network.url);
    await scene.agree([first], 250, 500);
    second.connect(scene.network.url, { pullBatch: 77 });
    await scene.agree([first, second], 250, 500);
  });

  test("what one device does, the other shows at once", async (context) => {
    const { scene, first, second } = await two(context);
    first.connect(scene.network.url);
    second.connect(scene.network.url);
    const look = lookAt(scene.campaign, 1);
    const tag = tagOf(look);
    await first.looks.insert(look);
    await first.tags.insert(tag);
    await scene.agree([first, second], 1, 1);

    const seen = await second.tags.findOne(tag.id).exec(true);
    await seen.patch({ note: "seen from the other device" });
    await eventually("the first device shows the note", async () => {
      const mine = await first.tags.findOne(tag.id).exec();
      return mine?.note === "seen from the other device";
    });
    // They were told, rather than that they asked again and again.
    expect(scene.network.count(/pull\?/)).toBeLessThan(40);
  });

  test("both devices edit one tag without a network, and are equal afterwards", async (context) => {
    const { scene, first, second } = await two(context);
    const look = lookAt(scene.campaign, 2);
    const tag = tagOf(look);
    await first.looks.insert(look);
    await first.tags.insert(tag);
    first.connect(scene.network.url);
    second.connect(scene.network.url);
    await scene.agree([first, second], 1, 1);

    scene.network.offline();
    await (await first.tags.findOne(tag.id).exec(true)).patch({ note: "first" });
    await (await second.tags.findOne(tag.id).exec(true)).patch({ note: "second" });
    scene.network.online();
    const tags = await scene.agree([first, second], 1, 1);
    expect(["first", "second"]).toContain((tags[tag.id] as { note?: string }).note);
  });

  test("a tag that one device withdrew and another edited is the same on both afterwards", async (context) => {
    const { scene, first, second } = await two(context);
    const looks = [3, 4, 5].map((number) => lookAt(scene.campaign, number));
    const tags = looks.map((look) => tagOf(look));
    await first.looks.bulkInsert(looks);
    await first.tags.bulkInsert(tags);
    first.connect(scene.network.url);
    second.connect(scene.network.url);
    await scene.agree([first, second], 3, 3);

    scene.network.offline();
    for (const tag of tags) {
      await (await first.tags.findOne(tag.id).exec(true)).remove();
      await (await second.tags.findOne(tag.id).exec(true)).patch({ note: "still there" });
    }
    scene.network.online();
    await eventually("both devices and the servers are equal", async () => {
      const held = await Promise.all([scene.stored("tags"), first.held("tags"), second.held("tags")]);
      const [stored, one, other] = held.map((each) => Object.keys(each).sort().join());
      return stored === one && one === other && stored !== undefined;
    });
  });

  test("a tag is withdrawn on one device and restored on the other", async (context) => {
    const { scene, first, second } = await two(context);
    const look = lookAt(scene.campaign, 6);
    const tag = tagOf(look, 0.4, 0.4, "kept");
    await first.looks.insert(look);
    await first.tags.insert(tag);
    first.connect(scene.network.url);
    second.connect(scene.network.url);
    await scene.agree([first, second], 1, 1);
    await (await first.tags.findOne(tag.id).exec(true)).remove();
    await scene.agree([first, second], 1, 0);
    await second.tags.insert(tag);
    const tags = await scene.agree([first, second], 1, 1);
    expect(tags[tag.id]).toMatchObject({ note: "kept", _deleted: false });
  });

  test("clocks that are hours off change nothing", async (context) => {
    const { scene, first, second } = await two(context);
    vi.useFakeTimers({ toFake: ["Date"], shouldAdvanceTime: true });
    try {
      vi.setSystemTime(Date.now() + 9 * 3600_000);
      const look = lookAt(scene.campaign, 7);
      const tag = tagOf(look, 0.5, 0.5, "ahead");
      await first.looks.insert(look);
      await first.tags.insert(tag);
      first.connect(scene.network.url);
      second.connect(scene.network.url);
      await scene.agree([first, second], 1, 1);

      // The later edit, by a clock that is far behind, holds.
      vi.setSystemTime(Date.now() - 20 * 3600_000);
      await (await second.tags.findOne(tag.id).exec(true)).patch({ note: "behind" });
      await eventually("the later edit is everywhere", async () => {
        const mine = await first.tags.findOne(tag.id).exec();
        return mine?.note === "behind";
      });
      await scene.agree([first, second], 1, 1);
    } finally {
      vi.useRealTimers();
    }
  });

  test("an app that is started again goes on where it was", async (context) => {
    const { scene, first, second } = await two(context);
    const looks = Array.from({ length: 60 }, (_, number) => lookAt(scene.campaign, number));
    first.connect(scene.network.url);
    await first.looks.bulkInsert(looks.slice(0, 40));
    await scene.agree([first], 40, 0);
    await first.restart();
    await first.looks.bulkInsert(looks.slice(40));
    const before = scene.network.passed.length;
    first.connect(scene.network.url);
    second.connect(scene.network.url);
    await scene.agree([first, second], 60, 0);
    const pushed = scene.network.passed.slice(before).filter(({ path }) => path.includes("looks/0/push"));
    expect(pushed).toHaveLength(1);
  });

  test("a device that is content asks for nothing", async (context) => {
    const { scene, first } = await two(context);
    await first.looks.insert(lookAt(scene.campaign, 8));
    first.connect(scene.network.url);
    await scene.agree([first], 1, 0);
    await sleep(300);
    const before = scene.network.passed.length;
    await sleep(1500);
    expect(scene.network.passed.length - before).toBe(0);
  });
});
