/** Live streams that are refused: what the client of each version makes of it, and that it never hangs. */

import { EventSource } from "eventsource";
import { describe, expect, test } from "vitest";
import { expect as answered, call } from "../harness/api.ts";
import { eventually } from "../harness/eventually.ts";
import { refusal, type Status } from "../harness/refusals.ts";
import type { RxPhone } from "../harness/rx-phone.ts";
import { Scene, STOCKS } from "../harness/scene.ts";
import { at, lookAt, push } from "../harness/wire.ts";

const STREAM = /^GET .*\/pullStream/;
/** Of each kind of refusal in a row. */
const TIMES = 3;
/** Streams that one volunteer may have at one server. */
const STREAMS_OF_ONE = 20;

/** A look that comes from elsewhere is shown without being asked for. */
async function receivesLive(scene: Scene, phone: RxPhone): Promise<void> {
  const look = { ...lookAt(scene.campaign, 9), _deleted: false };
  await answered(200, push(scene.servers[0], scene.volunteer, "looks", [{ newDocumentState: look }]));
  await eventually("the stream tells", async () => (await phone.held("looks"))[look.id]);
}

describe.concurrent.each(STOCKS)("$name", (stock) => {
  test.for([401, 503] as Status[])("a stream that is refused with %i is opened again", async (status, context) => {
    const scene = await Scene.begin(context);
    const phone = await scene.phone(stock);
    phone.connect(scene.network.url);
    await eventually("streams are open", () => scene.network.streams === 2);
    scene.network.next(STREAM, refusal(status), TIMES);
    scene.network.cutAll();
    await eventually("streams are open again", () => scene.network.left === 0 && scene.network.streams === 2);
    await receivesLive(scene, phone);
  });

  test("a stream that was cut is opened again", async (context) => {
    const scene = await Scene.begin(context);
    const phone = await scene.phone(stock);
    phone.connect(scene.network.url);
    for (let time = 0; time < TIMES; time += 1) {
      await eventually("streams are open", () => scene.network.streams === 2);
      scene.network.cutAll();
    }
    await eventually("streams are open again", () => scene.network.streams === 2);
    await receivesLive(scene, phone);
  });

  // Our servers answer streams with none of them but 403 and 426, which end replications; a proxy may.
  test.for([403, 409, 413, 426, 429] as Status[])(
    "a stream that is refused with %i harms nothing",
    async (status, context) => {
      const scene = await Scene.begin(context);
      const phone = await scene.phone(stock);
      phone.connect(scene.network.url);
      await eventually("streams are open", () => scene.network.streams === 2);
      scene.network.next(STREAM, refusal(status), 2);
      scene.network.cutAll();
      await eventually("they are refused", () => scene.network.left === 0);
      await phone.looks.insert(lookAt(scene.campaign, 0));
      await scene.agree([phone], 1, 0);
      if (stock.name === "RxDB 16") {
        // Its stream stays closed; the app begins anew, as after a start.
        await phone.disconnect();
        phone.connect(scene.network.url);
      }
      await eventually("streams are open again", () => scene.network.streams === 2);
      await receivesLive(scene, phone);
    },
  );

  test("more streams than a volunteer may have are sent away, and come back", async (context) => {
    const scene = await Scene.begin(context);
    const phone = await scene.phone(stock);
    scene.network.servers = [scene.servers[0]];
    const asked = call(scene.servers[0], "POST", "/v1/sync/tickets", scene.volunteer.token);
    const { ticket } = (await answered(201, asked)) as { ticket: string };
    const url = `${at(scene.servers[0], "looks")}/pullStream?ticket=${encodeURIComponent(ticket)}`;
    const others = Array.from({ length: STREAMS_OF_ONE }, () => new EventSource(url));
    const closeThem = () => {
      for (const one of others) one.close();
    };
    context.onTestFinished(closeThem);
    await eventually("the others are open", () => others.every((one) => one.readyState === 1));

    phone.connect(scene.network.url);
    await eventually("it is sent away", () => scene.network.count(STREAM) >= 2);
    await phone.looks.insert(lookAt(scene.campaign, 0));
    await scene.agree([phone], 1, 0);
    expect(scene.network.passed.filter(({ path, status }) => path.includes("pullStream") && status >= 400)).toEqual([]);
    closeThem();
    await eventually("it came back", () => scene.network.streams === 2, 60_000);
    await receivesLive(scene, phone);
  });
});
