/** What most tests begin with. */

import { inject, type TestContext } from "vitest";
import { signUp, type Volunteer } from "./api.ts";
import { eventually } from "./eventually.ts";
import { Network } from "./network.ts";
import { RxPhone, type Stock } from "./rx-phone.ts";
import { rxdb16 } from "./rxdb16.ts";
import { rxdb17 } from "./rxdb17.ts";
import { WatermelonPhone } from "./watermelon.ts";
import { type Collection, type Doc, living, pullAll, WRITABLE } from "./wire.ts";

/** The stock clients of the RxDB wire. */
export const STOCKS: readonly Stock[] = [rxdb16, rxdb17];

/** A volunteer with a network of the volunteer's own before both servers; it ends with the test. */
export class Scene {
  private constructor(
    readonly volunteer: Volunteer,
    readonly network: Network,
    /** Of the campaign. */
    readonly campaign: string,
    /** The two servers themselves, past the network. */
    readonly servers: readonly [string, string],
    private readonly context: TestContext,
  ) {}

  /** On the installation that all share, unless another is given. */
  static async begin(context: TestContext, installation = inject("installation")): Promise<Scene> {
    const { servers, campaign } = installation;
    const network = await Network.before(...servers);
    context.onTestFinished(() => network.close());
    return new Scene(await signUp(servers[0]), network, campaign.id, servers, context);
  }

  async phone(stock: Stock, collections: readonly Collection[] = WRITABLE): Promise<RxPhone> {
    const phone = await RxPhone.make(stock, this.volunteer, collections);
    this.context.onTestFinished(async () => {
      await phone.disconnect();
      await phone.close();
    });
    return phone;
  }

  watermelonPhone(): WatermelonPhone {
    return new WatermelonPhone(this.network.url, this.volunteer);
  }

  /** What the servers hold of a collection and was not deleted, by id. */
  async stored<T extends { id: string }>(of: Collection): Promise<Record<string, Doc<T>>> {
    return living((await pullAll<T>(this.servers[0], this.volunteer, of)).values());
  }

  /** Waits until phones and servers hold the same looks and tags, so many of them, and gives the tags. */
  async agree(phones: readonly RxPhone[], looks: number, tags: number): Promise<Record<string, Doc>> {
    for (const [of, count] of [
      ["looks", looks],
      ["tags", tags],
    ] as const) {
      let seen: unknown;
      const same = async () => {
        const all = [await this.stored(of), ...(await Promise.all(phones.map((phone) => phone.held(of))))];
        const texts = new Set(all.map(canonical));
        seen = all.map((one) => Object.keys(one).length);
        return texts.size === 1 && Object.keys(all[0]!).length === count;
      };
      await eventually(`all hold the same ${count} ${of}`, same).catch((late: Error) => {
        throw new Error(`${late.message}; servers and phones hold ${JSON.stringify(seen)}`);
      });
    }
    return this.stored("tags");
  }
}

/** The same text for the same content, whatever the order of its members. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part) =>
    part && typeof part === "object" && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
