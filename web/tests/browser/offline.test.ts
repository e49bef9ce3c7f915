import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { hasServer, openCampaign, storedLooks, until } from "./server.ts";
import { Visitor } from "./visitor.ts";

/** Waits until the browser keeps the page, as it does after one visit. */
async function pageIsKept(visitor: Visitor): Promise<void> {
  await until("the service worker has this page", () =>
    visitor.page.evaluate(() => navigator.serviceWorker.controller?.state === "activated"),
  );
}

const cacheNames = (visitor: Visitor) => visitor.page.evaluate(() => caches.keys());

const keptPaths = (visitor: Visitor) =>
  visitor.page.evaluate(async () => {
    const found: string[] = [];
    for (const name of await caches.keys())
      for (const { url } of await (await caches.open(name)).keys()) found.push(new URL(url).pathname);
    return found;
  });

describe.skipIf(!hasServer)("without a network", () => {
  test("after one visit the page opens, goes on with the squares that were ahead, and sends the looks later", async () => {
    const field = await openCampaign(4);
    const visitor = await Visitor.come("desktop");
    await visitor.open(field);
    await pageIsKept(visitor);
    await visitor.finishEmpty();
    await visitor.between.quiet(/imagery/);
    await visitor.between.stop();
    await visitor.page.reload();
    await visitor.finishEmpty();
    await visitor.page.getByText(/No network. . looks are kept on this device/).waitFor();
    await visitor.between.start();
    await visitor.page.evaluate(() => dispatchEvent(new Event("online")));
    await until("both are stored", async () => (await storedLooks(field.slug)).length === 2);
  });

  test("nothing is kept of the API, and of the pages only the volunteer's", async () => {
    const field = await openCampaign(2);
    const visitor = await Visitor.come("desktop");
    await visitor.open(field);
    await pageIsKept(visitor);
    const paths = await keptPaths(visitor);
    expect(paths).toContain("/s/-");
    expect(paths.filter((path) => path !== "/s/-" && path !== "/favicon.svg" && !path.startsWith("/assets/"))).toEqual(
      [],
    );
    await visitor.between.stop();
    await expect(visitor.go("/organise")).rejects.toThrow(/ERR_/);
  });

  test("a newer page is shown as soon as it is there, and takes the place of the kept one", async () => {
    const field = await openCampaign(2);
    const visitor = await Visitor.come("desktop");
    await visitor.open(field);
    await pageIsKept(visitor);
    const before = await cacheNames(visitor);
    const newer = "<!doctype html><title>Newer</title><p>Newer</p>";
    const hash = createHash("sha256").update(newer).digest("hex");
    const worker = await (await fetch(`${visitor.between.url}/offline.js`)).text();
    const answer = (type: string, body: string) =>
      ({ kind: "answer", status: 200, headers: { "Content-Type": type }, body }) as const;
    visitor.between.rule(/^GET \/s\//, answer("text/html", newer));
    const old = /[0-9a-f]{64}/.exec(worker)![0];
    const parts = worker.replaceAll(old, hash).replaceAll(old.slice(0, 16), hash.slice(0, 16));
    visitor.between.rule(/^GET \/offline\.js/, answer("text/javascript", parts));
    await visitor.page.reload();
    expect(await visitor.page.title()).toBe("Newer");
    await visitor.page.evaluate(async () => void (await (await navigator.serviceWorker.ready).update()));
    await until("the old files are gone", async () => {
      const names = await cacheNames(visitor);
      return names.length === 1 && names[0] !== before[0];
    });
    await visitor.between.stop();
    await visitor.page.reload();
    expect(await visitor.page.title()).toBe("Newer");
  });

  test("a worker and a page of different programs are not kept together", async () => {
    const field = await openCampaign(2);
    const visitor = await Visitor.come("desktop");
    const other = visitor.between.rule(/^GET \/s\/-/, {
      kind: "answer",
      status: 200,
      headers: { "Content-Type": "text/html" },
      body: "<!doctype html><title>Older</title>",
    });
    await visitor.open(field);
    await until("the page was asked for", async () => other.hits > 0);
    await until("it was not taken", () =>
      visitor.page.evaluate(async () => {
        const found = await navigator.serviceWorker.getRegistration();
        return !found?.installing && !found?.active;
      }),
    );
    other.end();
    await visitor.page.reload();
    await pageIsKept(visitor);
  });
});
