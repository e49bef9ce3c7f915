/** A source of imagery that fails or keeps waiting when it is told to: the server fetches a layer's tiles from it. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { api, BASE, LAYER, until } from "./server.ts";

let made = 0;

export class Source {
  readonly layer = `browser-${Date.now().toString(36)}-${process.pid}-${made++}`;
  /** Tiles asked for while it failed. */
  refused = 0;
  /** Tiles that nobody else asks for. */
  #asked = 0;
  #failure = 0;
  #held: Promise<void> | null = null;
  #release = () => {};
  readonly #server: Server;

  private constructor() {
    this.#server = createServer(async (incoming, outgoing) => {
      await this.#held;
      if (this.#failure) {
        this.refused += 1;
        outgoing.writeHead(this.#failure).end("The disk of this source is broken.");
        return;
      }
      const tile = await fetch(`${BASE}/v1/imagery/${LAYER}${incoming.url!.replace(".jpg", "")}`);
      outgoing.writeHead(tile.status, { "Content-Type": tile.headers.get("Content-Type") ?? "image/jpeg" });
      outgoing.end(Buffer.from(await tile.arrayBuffer()));
    });
  }

  /** Opens the source and makes a layer of it. */
  static async open(): Promise<Source> {
    const source = new Source();
    await new Promise<void>((resolve) => source.#server.listen(0, "127.0.0.1", resolve));
    const { port } = source.#server.address() as AddressInfo;
    await api("/v1/imagery", "POST", {
      key: source.layer,
      name: "Test survey",
      url_template: `http://127.0.0.1:${port}/{z}/{x}/{y}.jpg`,
      max_zoom: 19,
      max_concurrent_fetches: 256,
      max_fetches_per_second: 2000,
      attribution: "Browser tests",
    });
    return source;
  }

  /** A source that answers 500 is left alone after some failures; with 403 its tiles are to blame. */
  fail(status = 500): void {
    this.#failure = status;
    this.#release();
  }

  hold(): void {
    this.#held = new Promise((resolve) => (this.#release = resolve));
  }

  /** Waits until the server, which leaves a source that failed alone for a while, asks it again. */
  async answers(): Promise<void> {
    await until("the source answers", async () => {
      const tile = await fetch(`${BASE}/v1/imagery/${this.layer}/9/0/${this.#asked++}`);
      return tile.ok;
    });
  }

  /** Everything that was held goes on, and nothing fails any more. */
  recover(): void {
    this.#failure = 0;
    this.#held = null;
    this.#release();
  }

  async close(): Promise<void> {
    this.recover();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
