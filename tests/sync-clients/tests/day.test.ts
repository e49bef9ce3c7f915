/** A day without a network: 1,000 looks and 3,000 tags come in one burst. */

import { describe, expect, test } from "vitest";
import { Database } from "../harness/database.ts";
import { eventually } from "../harness/eventually.ts";
import { Scene, STOCKS } from "../harness/scene.ts";
import { lookAt, tagOf } from "../harness/wire.ts";

const LOOKS = 1000;
const PUSH = /^POST .*\/push$/;

describe.each(STOCKS)("$name", (stock) => {
  test("a day is synced in one burst, and goes on where it broke off", async (context) => {
    const scene = await Scene.begin(context);
    const phone = await scene.phone(stock);
    const looks = Array.from({ length: LOOKS }, (_, number) => lookAt(scene.campaign, number));
    await phone.looks.bulkInsert(looks);
    await phone.tags.bulkInsert(looks.flatMap((look) => [0.2, 0.5, 0.8].map((east) => tagOf(look, east))));

    phone.connect(scene.network.url, { pushBatch: 200 });
    await eventually("a part is pushed", () => scene.network.count(PUSH) >= 4);
    scene.network.offline();
    await phone.disconnect();
    const before = scene.network.count(PUSH);
    scene.network.online();
    scene.network.next(PUSH, { kind: "cut after" });
    phone.connect(scene.network.url, { pushBatch: 200 });
    await scene.agree([phone], LOOKS, 3 * LOOKS);

    // 20 pushes hold all of it. Only what was on its way is sent again: each collection has up to 4 there, and one was cut.
    expect(scene.network.count(PUSH) - before).toBeLessThanOrEqual(20 - before + 2 * 4 + 1);
    expect(scene.network.passed.filter(({ status }) => status >= 400)).toEqual([]);
    const database = await Database.open(context);
    const mine = "volunteer_id = $1";
    expect(await database.number(`SELECT count(*) FROM looks WHERE ${mine}`, scene.volunteer.id)).toBe(LOOKS);
    expect(await database.number(`SELECT count(*) FROM tags WHERE ${mine}`, scene.volunteer.id)).toBe(3 * LOOKS);

    const other = await scene.phone(stock);
    other.connect(scene.network.url, { pullBatch: 1000 });
    await scene.agree([phone, other], LOOKS, 3 * LOOKS);
  });
});
