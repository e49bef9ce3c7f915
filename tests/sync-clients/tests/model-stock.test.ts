/**
 * Random work on two devices with stock clients over a bad network: every look arrives, no tag is lost that nobody
 * withdrew, and both devices are equal to the servers at the end. `SYNC_SEED` repeats a run as far as timing allows.
 */

import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { eventually } from "../harness/eventually.ts";
import type { Fault } from "../harness/network.ts";
import type { RxPhone } from "../harness/rx-phone.ts";
import { canonical, Scene, STOCKS } from "../harness/scene.ts";
import { type Look, lookAt, type Tag, tagOf, WRITABLE } from "../harness/wire.ts";

const seed = Number(process.env.SYNC_SEED ?? Math.floor(Math.random() * 2 ** 31));
const STEPS = 150;

const FAULTS: Fault[] = [
  { kind: "cut before" },
  { kind: "cut after" },
  { kind: "cut within" },
  { kind: "twice" },
  { kind: "delay", ms: 50 },
];

const kind = fc.constantFrom("look", "tag", "tag", "edit", "edit", "withdraw", "restore", "fault", "cut", "pause");
const step = fc.record({ kind, device: fc.nat(1), pick: fc.nat() });

class Crowd {
  readonly looks = new Map<string, Look>();
  readonly tags = new Map<string, Tag>();
  readonly withdrawn = new Set<string>();

  constructor(
    private readonly scene: Scene,
    private readonly phones: readonly [RxPhone, RxPhone],
  ) {}

  async take({ kind, device, pick }: { kind: string; device: number; pick: number }): Promise<void> {
    const phone = this.phones[device]!;
    const known = [...this.tags.values()];
    const tag = known[pick % known.length];
    const shown = tag && (await phone.tags.findOne(tag.id).exec());
    if (kind === "look") {
      const look = lookAt(this.scene.campaign, pick % 4096);
      this.looks.set(look.id, look);
      await phone.looks.insert(look);
    } else if (kind === "tag" && this.looks.size > 0) {
      const looks = [...this.looks.values()];
      const made = tagOf(looks[pick % looks.length]!, 0.1 + (pick % 8) / 10);
      this.tags.set(made.id, made);
      await phone.tags.insert(made);
    } else if (kind === "edit") {
      await shown?.incrementalPatch({ note: `note ${pick}` });
    } else if (kind === "withdraw" && shown) {
      this.withdrawn.add(tag.id);
      await shown.incrementalRemove();
    } else if (kind === "restore" && tag && !shown && this.withdrawn.has(tag.id)) {
      await phone.tags.upsert(tag);
    } else {
      await this.disturb(kind, pick);
    }
  }

  private async disturb(kind: string, pick: number): Promise<void> {
    const { network } = this.scene;
    if (kind === "fault") network.next(/./, FAULTS[pick % FAULTS.length]!);
    if (kind === "cut") network.cutAll();
    if (kind === "pause") await sleep(pick % 40);
  }

  /** All are equal, and nothing that must be there is missing. */
  async settled(): Promise<void> {
    this.scene.network.heal();
    await eventually("all are equal", async () => {
      for (const of of WRITABLE) {
        const held = await Promise.all([this.scene.stored(of), ...this.phones.map((phone) => phone.held(of))]);
        if (new Set(held.map(canonical)).size > 1) return false;
      }
      return Object.keys(await this.scene.stored("looks")).length === this.looks.size;
    });
    const stored = await this.scene.stored("tags");
    const missing = [...this.tags.keys()].filter((id) => !stored[id] && !this.withdrawn.has(id));
    expect(missing).toEqual([]);
    expect(await this.scene.stored("looks")).toMatchObject(Object.fromEntries(this.looks));
  }
}

describe.each(STOCKS)("$name", { retry: 0 }, (stock) => {
  test("two devices over a bad network", async (context) => {
    process.stdout.write(`${stock.name} is tried with SYNC_SEED=${seed}\n`);
    const [steps] = fc.sample(fc.array(step, { minLength: STEPS, maxLength: STEPS, size: "max" }), {
      seed,
      numRuns: 1,
    });
    const scene = await Scene.begin(context);
    const phones: [RxPhone, RxPhone] = [await scene.phone(stock), await scene.phone(stock)];
    const crowd = new Crowd(scene, phones);
    for (const phone of phones) phone.connect(scene.network.url, { pullBatch: 10, pushBatch: 10 });
    for (const one of steps!) await crowd.take(one);
    await crowd.settled();
  });
});
