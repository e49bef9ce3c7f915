/** A network that loses requests and answers, and servers that go away: nothing is lost, nothing doubled. */

import { describe, expect, inject, test } from "vitest";
import { Database } from "../harness/database.ts";
import { eventually } from "../harness/eventually.ts";
import type { Fault } from "../harness/network.ts";
import { Process } from "../harness/processes.ts";
import type { RxPhone } from "../harness/rx-phone.ts";
import { Scene, STOCKS } from "../harness/scene.ts";
import { lookAt, type Tag, tagOf } from "../harness/wire.ts";

const PULL = /^GET .*\/pull\?/;
const PUSH = /^POST .*\/push$/;

const FAULTS: Fault[] = [
  { kind: "cut before" },
  { kind: "cut after" },
  { kind: "cut within" },
  { kind: "twice" },
  { kind: "delay", ms: 300 },
];

describe.concurrent.each(STOCKS)("$name", (stock) => {
  test.for(FAULTS)("a push with the fault $kind is stored once, without a conflict", async (fault, context) => {
    const scene = await Scene.begin(context);
    const phone = await scene.phone(stock);
    scene.network.next(PUSH, fault, 4);
    const look = lookAt(scene.campaign, 0);
    phone.connect(scene.network.url);
    await phone.looks.insert(look);
    const tag = tagOf(look, 0.5, 0.5, "first");
    await phone.tags.insert(tag);
    await scene.agree([phone], 1, 1);
    // An edit whose answer is lost is repeated with the state before it as the assumed one.
    scene.network.next(PUSH, fault, 2);
    for (const note of ["second", "third"]) await edited(scene, phone, tag.id, note);
    expect(Object.keys(await scene.agree([phone], 1, 1))).toEqual([tag.id]);
    const database = await Database.open(context);
    expect(await database.number("SELECT count(*) FROM looks WHERE volunteer_id = $1", scene.volunteer.id)).toBe(1);
    expect(await database.number("SELECT count(*) FROM tags WHERE volunteer_id = $1", scene.volunteer.id)).toBe(1);
  });

  test.for(FAULTS)("a pull with the fault $kind loses nothing", async (fault, context) => {
    const scene = await Scene.begin(context);
    const [first, second] = [await scene.phone(stock), await scene.phone(stock)];
    const looks = Array.from({ length: 30 }, (_, number) => lookAt(scene.campaign, number));
    await first.looks.bulkInsert(looks);
    await first.tags.bulkInsert(looks.map((look) => tagOf(look)));
    first.connect(scene.network.url);
    await scene.agree([first], 30, 30);
    scene.network.next(PULL, fault, 5);
    second.connect(scene.network.url, { pullBatch: 7 });
    await scene.agree([second], 30, 30);
  });

  test("a server that is killed in the middle is replaced by the other one", async (context) => {
    const scene = await Scene.begin(context);
    const { settings, servers } = inject("installation");
    const mortal = await Process.server(settings);
    context.onTestFinished(() => mortal.stop("SIGKILL"));
    scene.network.servers = [mortal.url];
    const [phone, other] = [await scene.phone(stock), await scene.phone(stock)];
    phone.connect(scene.network.url, { pushBatch: 20 });
    other.connect(scene.network.url);
    await eventually("streams are open", () => scene.network.streams === 4);
    const looks = Array.from({ length: 200 }, (_, number) => lookAt(scene.campaign, number));
    await phone.looks.bulkInsert(looks);
    await phone.tags.bulkInsert(looks.map((look) => tagOf(look)));
    await eventually("some were pushed", () => scene.network.count(PUSH) >= 3);
    await mortal.stop("SIGKILL");
    scene.network.servers = [...servers];
    await scene.agree([phone, other], 200, 200);
  });

  test("a server that is restarted keeps nobody waiting", async (context) => {
    const scene = await Scene.begin(context);
    const { settings } = inject("installation");
    let server = await Process.server(settings);
    context.onTestFinished(() => server.stop("SIGKILL"));
    scene.network.servers = [server.url];
    const [phone, other] = [await scene.phone(stock), await scene.phone(stock)];
    phone.connect(scene.network.url);
    other.connect(scene.network.url);
    await eventually("streams are open", () => scene.network.streams === 4);
    await server.stop();
    const look = lookAt(scene.campaign, 0);
    await phone.looks.insert(look);
    server = await Process.server(settings, server.port);
    await phone.tags.insert(tagOf(look));
    await scene.agree([phone, other], 1, 1);
    await eventually("streams are open again", () => scene.network.streams === 4);
  });
});

/**
 * Edits a tag until the servers have it. RxDB itself drops an edit that is made in the moment in which the stream gives
 * back the state before the last one: it takes that for somebody else's.
 */
async function edited(scene: Scene, phone: RxPhone, id: string, note: string): Promise<void> {
  await eventually(`the note ${note} is stored`, async () => {
    const tag = await phone.tags.findOne(id).exec(true);
    if (tag.note !== note) await tag.incrementalPatch({ note });
    return (await scene.stored<Tag>("tags"))[id]?.note === note;
  });
}
