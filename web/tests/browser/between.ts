/**
 * What stands between a page and the server: all requests of a page go through it, and a test can make it behave as
 * bad networks, busy servers and proxies do.
 *
 * Invariant: what no rule stops is passed on unchanged, so that the page meets the real server.
 */
import { Agent, createServer, type IncomingMessage, request, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { BASE, until } from "./server.ts";

export type Deed =
  /** The connection breaks before the server hears of the request. */
  | { kind: "cut" }
  /** The server answers, but the connection breaks before a byte of it arrives. */
  | { kind: "lose" }
  /** Nothing happens until the rule is taken away; then the request goes on. */
  | { kind: "hold" }
  /** Somebody on the way answers instead of the server. */
  | { kind: "answer"; status: number; headers?: Record<string, string>; body: unknown };

export const BUSY = (seconds: number): Deed => ({
  kind: "answer",
  status: 503,
  headers: { "Retry-After": String(seconds) },
  body: { code: "overloaded", title: "Busy", detail: "Very many people are here. Try again later." },
});

/** One request that came, in the order in which they came. */
export interface Came {
  method: string;
  path: string;
  body: string;
  at: number;
  /** Null until an answer was passed on. */
  status: number | null;
}

export class Rule {
  readonly pattern: RegExp;
  readonly deed: Deed;
  /** How many requests it was applied to. */
  hits = 0;
  readonly #lifted: Promise<void>;
  readonly #between: Between;
  #lift = () => {};

  constructor(between: Between, pattern: RegExp, deed: Deed) {
    this.#between = between;
    this.pattern = pattern;
    this.deed = deed;
    this.#lifted = new Promise((resolve) => (this.#lift = resolve));
  }

  get lifted(): Promise<void> {
    return this.#lifted;
  }

  /** Takes the rule away; requests that it held go on. */
  end(): void {
    this.#between.rules.delete(this);
    this.#lift();
  }
}

export class Between {
  readonly rules = new Set<Rule>();
  readonly came: Came[] = [];
  /** The network that the page believes in. */
  url = "";
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });
  readonly #sockets = new Set<Socket>();
  #server: Server;
  #port = 0;

  private constructor() {
    this.#server = this.#make();
  }

  static async open(): Promise<Between> {
    const between = new Between();
    await between.start();
    return between;
  }

  /** Rules are asked in the order in which they were given; "METHOD /path?query" is matched. */
  rule(pattern: RegExp, deed: Deed): Rule {
    const rule = new Rule(this, pattern, deed);
    this.rules.add(rule);
    return rule;
  }

  requests(pattern: RegExp): Came[] {
    return this.came.filter(({ method, path }) => pattern.test(`${method} ${path}`));
  }

  /** Waits until nothing of this kind was asked for a while: then what is loaded ahead is here. */
  async quiet(pattern: RegExp, forMs = 1500): Promise<void> {
    let count = -1;
    let since = Date.now();
    await until(`nothing like ${pattern} is asked`, async () => {
      const now = this.requests(pattern).length;
      if (now !== count) [count, since] = [now, Date.now()];
      return Date.now() - since > forMs;
    });
  }

  /** Listens, at the same address as before. */
  async start(): Promise<void> {
    if (this.#server.listening) return;
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(this.#port, "127.0.0.1", resolve);
    });
    this.#port = (this.#server.address() as AddressInfo).port;
    this.url = `http://127.0.0.1:${this.#port}`;
  }

  /** As when the server's process ends: nobody listens, and open connections break. */
  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
    this.#server = this.#make();
  }

  async close(): Promise<void> {
    for (const rule of [...this.rules]) rule.end();
    if (this.#server.listening) await this.stop();
    this.#agent.destroy();
  }

  #make(): Server {
    const server = createServer((incoming, outgoing) => void this.#serve(incoming, outgoing));
    server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
    return server;
  }

  async #serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of incoming) chunks.push(chunk as Buffer);
    } catch {
      return;
    }
    const body = Buffer.concat(chunks);
    const came: Came = {
      method: incoming.method!,
      path: incoming.url!,
      body: body.toString(),
      at: Date.now(),
      status: null,
    };
    this.came.push(came);
    for (;;) {
      const rule = [...this.rules].find(({ pattern }) => pattern.test(`${came.method} ${came.path}`));
      if (rule) rule.hits += 1;
      if (rule?.deed.kind !== "hold") {
        this.#apply(rule?.deed, incoming, body, outgoing, came);
        return;
      }
      await rule.lifted;
    }
  }

  #apply(deed: Deed | undefined, incoming: IncomingMessage, body: Buffer, outgoing: ServerResponse, came: Came): void {
    if (deed?.kind === "cut") {
      incoming.socket.destroy();
    } else if (deed?.kind === "answer") {
      came.status = deed.status;
      outgoing.writeHead(deed.status, { "Content-Type": "application/problem+json", ...deed.headers });
      outgoing.end(typeof deed.body === "string" ? deed.body : JSON.stringify(deed.body));
    } else {
      this.#pass(deed?.kind === "lose", incoming, body, outgoing, came);
    }
  }

  #pass(isLost: boolean, incoming: IncomingMessage, body: Buffer, outgoing: ServerResponse, came: Came): void {
    const onward = request(
      BASE + incoming.url!,
      { method: incoming.method!, headers: incoming.headers, agent: this.#agent },
      (answer) => {
        const parts: Buffer[] = [];
        answer.on("data", (part: Buffer) => parts.push(part));
        answer.on("error", () => incoming.socket.destroy());
        answer.on("end", () => {
          if (isLost) {
            incoming.socket.destroy();
            return;
          }
          came.status = answer.statusCode!;
          outgoing.writeHead(answer.statusCode!, answer.headers);
          outgoing.end(Buffer.concat(parts));
        });
      },
    );
    onward.on("error", () => incoming.socket.destroy());
    onward.end(body);
  }
}
