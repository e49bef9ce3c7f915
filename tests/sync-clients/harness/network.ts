/** The stretch of network between a phone and the servers, which fails at the worst moments. */

import http, { type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** What happens to one request. */
export type Fault =
  /** It does not reach the server. */
  | { kind: "cut before" }
  /** The server has answered; nobody hears of it. */
  | { kind: "cut after" }
  /** Half of the answer arrives. */
  | { kind: "cut within" }
  /** It waits, in milliseconds, before it goes on. */
  | { kind: "delay"; ms: number }
  /** It reaches the server twice at the same moment. */
  | { kind: "twice" }
  /** Somebody else answers. */
  | { kind: "answer"; status: number; body: string; type: string };

/** A request that passed, and what came back; status 0 when nothing did. */
export interface Passed {
  method: string;
  path: string;
  status: number;
  /** Of the answer, as it was sent. */
  bytes: number;
}

interface Rule {
  matches: RegExp;
  times: number;
  fault: Fault;
}

export class Network {
  /** Everything that passed, in order of the answers. */
  readonly passed: Passed[] = [];
  private rules: Rule[] = [];
  private isOnline = true;
  private turn = 0;
  private readonly open = new Set<ServerResponse>();
  private readonly agent = new http.Agent({ keepAlive: true });

  private constructor(
    private readonly listener: http.Server,
    /** Requests go to them by turns. */
    public servers: string[],
  ) {}

  static async before(...servers: string[]): Promise<Network> {
    const listener = http.createServer();
    listener.keepAliveTimeout = 60_000;
    const network = new Network(listener, servers);
    listener.on("request", (request, response) => void network.carry(request, response));
    await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
    return network;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.listener.address() as AddressInfo).port}`;
  }

  /** The next requests whose method and path (`POST /v1/…`) match have this fault. */
  next(matches: RegExp, fault: Fault, times = 1): void {
    this.rules.push({ matches, fault, times });
  }

  /** How many faults are still to come. */
  get left(): number {
    return this.rules.reduce((sum, rule) => sum + rule.times, 0);
  }

  /** Faults that did not come about never will. */
  heal(): void {
    this.rules = [];
  }

  /** Cuts every answer that is being given, such as streams. */
  cutAll(): void {
    for (const response of this.open) response.destroy();
  }

  offline(): void {
    this.isOnline = false;
    this.cutAll();
  }

  online(): void {
    this.isOnline = true;
  }

  /** Streams that are open now. */
  get streams(): number {
    return [...this.open].filter((response) => response.headersSent && /pullStream/.test(response.req.url!)).length;
  }

  /** Answers that passed whose method and path match. */
  count(matches: RegExp): number {
    return this.passed.filter((one) => matches.test(`${one.method} ${one.path}`)).length;
  }

  async close(): Promise<void> {
    this.offline();
    this.agent.destroy();
    this.listener.closeAllConnections();
    await new Promise((resolve) => this.listener.close(resolve));
  }

  private fault(request: IncomingMessage): Fault | undefined {
    const said = `${request.method} ${request.url}`;
    const rule = this.rules.find((one) => one.times > 0 && one.matches.test(said));
    if (rule) rule.times -= 1;
    return rule?.fault;
  }

  private async carry(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.open.add(response);
    response.on("close", () => this.open.delete(response));
    response.on("error", () => response.destroy());
    if (!this.isOnline) return void response.destroy();
    const fault = this.fault(request);
    const body = await whole(request).catch(() => undefined);
    if (body === undefined || fault?.kind === "cut before") return void response.destroy();
    if (fault?.kind === "answer") {
      response.writeHead(fault.status, { "content-type": fault.type, "retry-after": "1" });
      response.end(fault.body);
      return this.note(request, fault.status, fault.body.length);
    }
    if (fault?.kind === "delay") await sleep(fault.ms);
    const second = fault?.kind === "twice" ? this.pass(request, body).then(drained) : undefined;
    try {
      const answer = await this.pass(request, body);
      await second;
      await this.give(request, response, answer, fault);
    } catch {
      response.destroy();
      this.note(request, 0, 0);
    }
  }

  private pass(request: IncomingMessage, body: Buffer): Promise<IncomingMessage> {
    const server = this.servers[this.turn++ % this.servers.length]!;
    const { hostname, port } = new URL(server);
    const { method, url: path, headers } = request;
    return new Promise((resolve, reject) => {
      const options = { hostname, port, method, path, headers, agent: this.agent };
      const onward = http.request(options, resolve);
      onward.on("error", reject);
      request.on("close", () => request.destroyed && !request.complete && onward.destroy());
      onward.end(body);
    });
  }

  private async give(
    request: IncomingMessage,
    response: ServerResponse,
    answer: IncomingMessage,
    fault: Fault | undefined,
  ): Promise<void> {
    const status = answer.statusCode!;
    if (fault?.kind === "cut after" || fault?.kind === "cut within") {
      const body = await whole(answer);
      if (fault.kind === "cut within") {
        response.writeHead(status, answer.headers);
        await new Promise((resolve) => response.write(body.subarray(0, body.length / 2), resolve));
      }
      response.destroy();
      return this.note(request, status, body.length);
    }
    let bytes = 0;
    answer.on("data", (piece: Buffer) => {
      bytes += piece.length;
    });
    response.on("close", () => answer.destroy());
    response.writeHead(status, answer.headers);
    response.flushHeaders();
    answer.pipe(response);
    await new Promise((resolve, reject) => answer.on("end", resolve).on("error", reject).on("close", resolve));
    this.note(request, status, bytes);
  }

  private note(request: IncomingMessage, status: number, bytes: number): void {
    this.passed.push({ method: request.method!, path: request.url!, status, bytes });
  }
}

async function whole(message: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of message) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

async function drained(answer: IncomingMessage): Promise<void> {
  await whole(answer);
}
