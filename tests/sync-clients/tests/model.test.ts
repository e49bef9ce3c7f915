/**
 * Random interleavings of several devices of one volunteer against a simple model: nothing is lost, doubled or skipped,
 * and all are equal at the end. A failure names its seed and its path; the shortest steps that fail so are found by
 *
 *     SYNC_SEED=… SYNC_PATH=… SYNC_SHRINK=1 npm test -- model
 */

import fc from "fast-check";
import { inject, test } from "vitest";
import { signUp } from "../harness/api.ts";
import { Database } from "../harness/database.ts";
import { eventually } from "../harness/eventually.ts";
import { Model } from "../harness/model.ts";
import { type AnyDoc, type Luck, PlainPhone, type Written } from "../harness/plain-phone.ts";
import { canonical } from "../harness/scene.ts";
import { type Doc, type Look, living, lookAt, newId, pullAll, type Tag, tagOf, WRITABLE } from "../harness/wire.ts";

const seed = Number(process.env.SYNC_SEED ?? Math.floor(Math.random() * 2 ** 31));
const path = process.env.SYNC_PATH;
/** Looks for the shortest steps that fail, which takes its time. */
const shrinks = Boolean(process.env.SYNC_SHRINK);

/** Runs, in lanes side by side, and steps of each run: 12,000 in all. */
const LANES = 3;
const RUNS = 20;
const STEPS = 200;
const DEVICES = 3;

const LUCK: readonly Luck[] = ["arrives", "arrives", "arrives", "request lost", "answer lost"];

/** One thing that one device does; `pick` chooses among what is there. */
type Step = { device: number; pick: number } & (
  | {
      kind:
        | "look"
        | "tag"
        | "edit"
        | "withdraw"
        | "restore"
        | "change look"
        | "switch server"
        | "reinstall"
        | "slow writer";
    }
  | { kind: "push" | "pull"; of: Written; luck: Luck; limit: number }
  | { kind: "push at once" | "push and pull"; of: Written; other: number }
);

const who = { device: fc.nat(DEVICES - 1), pick: fc.nat() };
const of = fc.constantFrom(...WRITABLE);
const local = <K extends string>(kind: K) => fc.record({ kind: fc.constant(kind), ...who });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: local("look") },
  { weight: 6, arbitrary: local("tag") },
  { weight: 6, arbitrary: local("edit") },
  { weight: 3, arbitrary: local("withdraw") },
  { weight: 2, arbitrary: local("restore") },
  { weight: 1, arbitrary: local("change look") },
  { weight: 2, arbitrary: local("switch server") },
  { weight: 1, arbitrary: local("reinstall") },
  { weight: 1, arbitrary: local("slow writer") },
  {
    weight: 9,
    arbitrary: fc.record({
      kind: fc.constantFrom("push" as const, "pull" as const),
      ...who,
      of,
      luck: fc.constantFrom(...LUCK),
      limit: fc.integer({ min: 1, max: 20 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom("push at once" as const, "push and pull" as const),
      ...who,
      of,
      other: fc.nat(DEVICES - 1),
    }),
  },
);

class Play {
  readonly model = new Model();
  readonly phones: PlainPhone[];
  /** What a slow server is about to store. */
  private late: AnyDoc | undefined;

  constructor(
    private readonly servers: readonly [string, string],
    private readonly volunteer: Awaited<ReturnType<typeof signUp>>,
    private readonly campaign: string,
    private readonly database: Database,
  ) {
    this.phones = Array.from({ length: DEVICES }, () => new PlainPhone(servers, volunteer));
  }

  async take(step: Step): Promise<void> {
    const phone = this.phones[step.device]!;
    switch (step.kind) {
      case "look":
        return phone.write("looks", alive(lookAt(this.campaign, step.pick % 4096)));
      case "tag": {
        const look = this.one<Look>(phone, "looks", step.pick);
        return look && phone.write("tags", alive(tagOf(look, ...spot(step.pick))));
      }
      case "edit": {
        const tag = this.one<Tag>(phone, "tags", step.pick);
        return tag && phone.write("tags", { ...tag, note: `note ${step.pick}` });
      }
      case "withdraw": {
        const tag = this.one<Tag>(phone, "tags", step.pick);
        return tag && phone.write("tags", { ...tag, _deleted: true });
      }
      case "restore": {
        const tag = this.one<Tag>(phone, "tags", step.pick, true);
        return tag && phone.write("tags", { ...tag, _deleted: false });
      }
      case "change look": {
        const look = this.one<Look>(phone, "looks", step.pick);
        const isDeleted = step.pick % 2 === 0;
        const started_at = new Date(step.pick).toISOString();
        return look && phone.write("looks", { ...look, started_at, _deleted: isDeleted });
      }
      case "switch server":
        phone.server = 1 - phone.server;
        return;
      case "reinstall":
        return phone.forget();
      case "slow writer":
        return this.late ? this.slowOneEnds() : this.slowOneBegins(step.pick);
      case "push":
        return this.push(phone, step.of, step.luck);
      case "pull":
        for (const doc of await phone.fetch(step.of, step.limit, step.luck)) this.model.pulled(step.of, doc);
        return;
      case "push at once":
        return this.pushAtOnce(phone, this.phones[step.other]!, step.of);
      case "push and pull":
        return this.pushAndPull(phone, this.phones[step.other]!, step.of);
    }
  }

  /** Everybody pushes and pulls until all are equal to the model. */
  async settle(): Promise<void> {
    if (this.late) await this.slowOneEnds();
    await eventually("all are equal to the model", async () => {
      for (const phone of this.phones) {
        for (const of of WRITABLE) {
          await this.push(phone, of, "arrives");
          while ((await phone.fetch(of, 50, "arrives")).length === 50);
        }
      }
      return this.differences().length === 0;
    }).catch((late: Error) => {
      throw new Error(`${late.message}:\n${this.differences().join("\n")}`);
    });
    for (const of of WRITABLE) {
      let others: string[] = [];
      // What was stored is told when all transactions that began before have ended.
      await eventually(`the model's ${of} are stored`, async () => {
        const stored = living((await pullAll(this.servers[0], this.volunteer, of, 7)).values());
        others = otherwise(stored, this.model.living(of));
        return others.length === 0;
      }).catch((late: Error) => {
        throw new Error(`${late.message}:\n${others.join("\n")}`);
      });
    }
  }

  /** What phones have otherwise than the model. */
  private differences(): string[] {
    return WRITABLE.flatMap((of) =>
      this.phones.flatMap(({ shelves }, device) => {
        const others = otherwise(living(shelves[of].docs.values()), this.model.living(of));
        return others.map((other) => `${of} of device ${device}: ${other}`);
      }),
    );
  }

  /** A slow server begins to store a look, whose transaction is older then than much that is committed before it. */
  private async slowOneBegins(pick: number): Promise<void> {
    const look = this.model.pick("looks", pick);
    if (!look) return;
    await this.database.run("BEGIN");
    const id = newId();
    const campaign_version = await this.database.copyLook(this.volunteer, look.id, id);
    this.late = { ...(look as Doc<Look>), id, ...{ campaign_version } };
  }

  private async slowOneEnds(): Promise<void> {
    await this.database.run("COMMIT");
    this.model.push("looks", [{ newDocumentState: this.late! }], []);
    this.late = undefined;
  }

  private async push(phone: PlainPhone, of: Written, luck: Luck): Promise<void> {
    const rows = phone.dirty(of);
    if (rows.length === 0) return;
    const conflicts = await phone.send(of, rows, luck);
    if (conflicts) this.model.push(of, rows, conflicts);
  }

  private async pushAtOnce(one: PlainPhone, other: PlainPhone, of: Written): Promise<void> {
    const [first, second] = [one.dirty(of), other.dirty(of)];
    if (first.length === 0 || second.length === 0) return;
    const [mine, others] = await Promise.all([one.send(of, first, "arrives"), other.send(of, second, "arrives")]);
    const both = [
      { rows: first, conflicts: mine! },
      { rows: second, conflicts: others! },
    ];
    await this.model.pushBoth(of, both, (doc) => this.database.holds(this.volunteer, doc));
  }

  private async pushAndPull(one: PlainPhone, other: PlainPhone, of: Written): Promise<void> {
    const rows = one.dirty(of);
    const [conflicts, docs] = await Promise.all([
      rows.length > 0 && one !== other ? one.send(of, rows, "arrives") : undefined,
      other.fetch(of, 20, "arrives"),
    ]);
    if (conflicts) this.model.push(of, rows, conflicts);
    for (const doc of docs) this.model.pulled(of, doc);
  }

  private one<T extends Look | Tag>(phone: PlainPhone, of: Written, pick: number, isDeleted = false) {
    const all = [...phone.shelves[of].docs.values()].filter((doc) => doc._deleted === isDeleted);
    return all[pick % all.length] as Doc<T> | undefined;
  }
}

/** Each document that is another one than wanted, or is missing, or is not wanted. */
function otherwise(held: Record<string, unknown>, wanted: Record<string, unknown>): string[] {
  const ids = Object.keys({ ...wanted, ...held }).filter((id) => canonical(wanted[id]) !== canonical(held[id]));
  return ids.map((id) => `${canonical(held[id])}, not ${canonical(wanted[id])}`);
}

function alive<T extends Look | Tag>(doc: T): AnyDoc {
  return { ...doc, _deleted: false } as AnyDoc;
}

function spot(pick: number): [number, number] {
  return [0.1 + (pick % 9) / 11, 0.1 + (pick % 7) / 9];
}

test.concurrent.for(Array.from({ length: LANES }, (_, lane) => lane))(
  "devices and a model, lane %i",
  { retry: 0 },
  async (lane, context) => {
    const { servers, campaign } = inject("installation");
    const laneSeed = process.env.SYNC_SEED ? seed : seed + lane;
    process.stdout.write(`the model is tried with SYNC_SEED=${laneSeed}\n`);
    const steps = fc.array(step, { minLength: STEPS, maxLength: STEPS, size: "max" });
    const database = await Database.open(context);
    const property = fc.asyncProperty(steps, async (all) => {
      const play = new Play(servers, await signUp(servers[0]), campaign.id, database);
      try {
        for (const one of all) await play.take(one);
        await play.settle();
      } finally {
        await database.run("ROLLBACK");
      }
    });
    await fc.assert(property, { seed: laneSeed, numRuns: RUNS, endOnFailure: !shrinks, ...(path && { path }) });
  },
);
