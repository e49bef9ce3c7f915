/** WatermelonDB, which pulls all, then pushes all, or nothing. */

import { describe, expect, test } from "vitest";
import { Database } from "../harness/database.ts";
import { eventually } from "../harness/eventually.ts";
import type { Fault } from "../harness/network.ts";
import { BUSY, CODES, refusal, type Status } from "../harness/refusals.ts";
import { canonical, Scene } from "../harness/scene.ts";
import type { WatermelonPhone } from "../harness/watermelon.ts";
import { living, lookAt, pullAll, type Tag, tagOf } from "../harness/wire.ts";

const PULL = /^GET \/v1\/sync\/watermelondb/;
const PUSH = /^POST \/v1\/sync\/watermelondb/;

/** More than the servers take in one push, and the calls in which it comes. */
const MONTH = { days: 30, looks: 6000, tags: 15_000, pushes: 84 };

/** Synchronizes until phones and servers hold the same looks and tags, so many of them. */
async function agree(scene: Scene, phones: WatermelonPhone[], looks: number, tags: number): Promise<void> {
  await eventually(`all hold the same ${looks} looks and ${tags} tags`, async () => {
    // A push is refused while the phone's last pull could not see a change: an older transaction was open.
    const done = await Promise.all(
      phones.map((phone) =>
        phone.sync().then(
          () => true,
          () => false,
        ),
      ),
    );
    if (done.includes(false)) return false;
    const stored = Object.values(await scene.stored<Tag>("tags")).map(flat);
    const seen = await Promise.all(phones.map((phone) => phone.held("tags")));
    const same = new Set([stored, ...seen.map((held) => Object.values(held).map(unpacked))].map(sorted));
    const counts = await Promise.all(phones.map(async (phone) => Object.keys(await phone.held("looks")).length));
    return same.size === 1 && stored.length === tags && counts.every((count) => count === looks);
  });
}

function flat({ _deleted, ...tag }: Tag & { _deleted: boolean }): object {
  return { note: null, ...tag };
}

function unpacked(row: Record<string, string | null>): object {
  return { ...row, geometry: JSON.parse(row.geometry!) as object };
}

function sorted(rows: object[]): string {
  return rows.map(canonical).sort().join();
}

describe.concurrent("WatermelonDB", () => {
  test("a first sync, and a second device", async (context) => {
    const scene = await Scene.begin(context);
    const [first, second] = [scene.watermelonPhone(), scene.watermelonPhone()];
    const looks = Array.from({ length: 100 }, (_, number) => lookAt(scene.campaign, number));
    await first.add(
      looks,
      looks.flatMap((look) => [tagOf(look, 0.2), tagOf(look, 0.8, 0.8, "a wing?")]),
    );
    await agree(scene, [first, second], 100, 200);
    const campaigns = await second.held("campaigns");
    expect(JSON.parse(campaigns[scene.campaign]!.title!)).toEqual({ en: "Find the aircraft" });
  });

  test("edits, withdrawals, and edits on both devices", async (context) => {
    const scene = await Scene.begin(context);
    const [first, second] = [scene.watermelonPhone(), scene.watermelonPhone()];
    const look = lookAt(scene.campaign, 0);
    const tags = [0.2, 0.4, 0.6, 0.8].map((east) => tagOf(look, east));
    await first.add([look], tags);
    await agree(scene, [first, second], 1, 4);
    await first.note(tags[0]!.id, "first");
    await second.note(tags[0]!.id, "second");
    await second.note(tags[1]!.id, "only second");
    await first.remove("tags", tags[2]!.id);
    await second.note(tags[2]!.id, "withdrawn meanwhile");
    await second.remove("tags", tags[3]!.id);
    await eventually("both were synchronized", async () => {
      const both = [first, second].map((phone) => phone.sync().then(() => true));
      const done = await Promise.all(both.map((one) => one.catch(() => false)));
      return done.every(Boolean);
    });
    const database = await Database.open(context);
    const statement = "SELECT count(*) FROM tags WHERE volunteer_id = $1 AND withdrawn_at IS NULL";
    await agree(scene, [first, second], 1, await database.number(statement, scene.volunteer.id));
    expect((await first.held("tags"))[tags[1]!.id]?.note).toBe("only second");
    expect(await first.held("tags")).not.toHaveProperty([tags[3]!.id]);
  });

  const FAULTS: Fault[] = [{ kind: "cut before" }, { kind: "cut after" }, { kind: "cut within" }, { kind: "twice" }];

  test.for(FAULTS)("the fault $kind loses nothing and doubles nothing", async (fault, context) => {
    const scene = await Scene.begin(context);
    const [first, second] = [scene.watermelonPhone(), scene.watermelonPhone()];
    const look = lookAt(scene.campaign, 0);
    const tag = tagOf(look);
    await first.add([look], [tag]);
    scene.network.next(PUSH, fault);
    scene.network.next(PULL, fault);
    for (let time = 0; time < 3; time += 1) await first.sync().catch(() => {});
    await agree(scene, [first, second], 1, 1);
    await second.note(tag.id, "edited");
    scene.network.next(PUSH, fault);
    await second.sync().catch(() => {});
    await second.remove("tags", tag.id);
    scene.network.next(PUSH, fault);
    await second.sync().catch(() => {});
    await agree(scene, [first, second], 1, 0);
    const database = await Database.open(context);
    expect(await database.number("SELECT count(*) FROM looks WHERE volunteer_id = $1", scene.volunteer.id)).toBe(1);
  });

  test.for(Object.keys(CODES).map(Number) as Status[])(
    "refused with %i, it goes on afterwards",
    async (status, context) => {
      const scene = await Scene.begin(context);
      const phone = scene.watermelonPhone();
      const look = lookAt(scene.campaign, 0);
      await phone.add([look], [tagOf(look)]);
      scene.network.next(PULL, refusal(status));
      await expect(phone.sync()).rejects.toThrow(`${status}`);
      scene.network.next(PUSH, refusal(status));
      await expect(phone.sync()).rejects.toThrow(`${status}`);
      scene.network.next(PUSH, BUSY);
      await expect(phone.sync()).rejects.toThrow("503");
      await agree(scene, [phone], 1, 1);
    },
  );

  test("a month offline comes in many pushes, and one whose answer is lost costs no more than itself", async (context) => {
    const scene = await Scene.begin(context);
    const phone = scene.watermelonPhone();
    const began = Date.now() - MONTH.days * 86_400_000;
    const looks = Array.from({ length: MONTH.looks }, (_, number) => {
      const at = new Date(began + (number / MONTH.looks) * MONTH.days * 86_400_000);
      return lookAt(scene.campaign, number % 4096, "tagged", at);
    });
    const tags = looks.flatMap((look, number) => [0.2, 0.5, 0.8].slice(number % 2).map((east) => tagOf(look, east)));
    await phone.add(looks, tags);
    scene.network.next(PUSH, { kind: "delay", ms: 0 }, MONTH.pushes / 2);
    scene.network.next(PUSH, { kind: "cut after" });
    await phone.sync();
    expect(scene.network.count(PUSH)).toBe(MONTH.pushes + 1);
    await agree(scene, [phone], MONTH.looks, MONTH.tags);
    expect(scene.network.count(PUSH)).toBe(MONTH.pushes + 1);
    expect(scene.network.passed.filter(({ status }) => status >= 400)).toEqual([]);
    const database = await Database.open(context);
    for (const table of ["looks", "tags"] as const) {
      const statement = `SELECT count(*) FROM ${table} WHERE volunteer_id = $1`;
      expect(await database.number(statement, scene.volunteer.id)).toBe(MONTH[table]);
    }
  });

  test("both wires show the same", async (context) => {
    const scene = await Scene.begin(context);
    const phone = scene.watermelonPhone();
    const look = lookAt(scene.campaign, 0);
    await phone.add([look], [tagOf(look, 0.3, 0.3, "there")]);
    await agree(scene, [phone], 1, 1);
    const looks = living((await pullAll(scene.servers[1], scene.volunteer, "looks")).values());
    expect(looks[look.id]).toMatchObject(look);
  });
});
