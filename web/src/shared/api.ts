/**
 * One door to the server: JSON in, JSON out, and every failure a `Problem`.
 *
 * Invariant: never throws anything but `Problem`; status 0 means that no answer came.
 */
import type { ProblemBody } from "./contract.ts";

const TIMEOUT_MS = 20_000;

/** What went wrong, in the server's words where it had any. */
export class Problem extends Error {
  readonly status: number;
  readonly body: ProblemBody;
  readonly retryAfterMs: number | null;
  readonly at = Date.now();

  constructor(status: number, body: ProblemBody, retryAfterMs: number | null) {
    super(body.detail ?? body.title ?? `HTTP ${status}`);
    this.status = status;
    this.body = body;
    this.retryAfterMs = retryAfterMs;
  }

  /** What is left of the wait that the server asked for. */
  get waitLeftMs(): number {
    return Math.max(0, (this.retryAfterMs ?? 0) - (Date.now() - this.at));
  }

  get isOffline(): boolean {
    return this.status === 0;
  }

  /** True when the same request may succeed later. */
  get isPassing(): boolean {
    return this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500;
  }
}

export interface Call {
  method?: "GET" | "POST" | "PATCH" | "DELETE";
  body?: unknown;
  token?: string | null;
  /** The version that is to be changed: it is sent as `If-Match`. */
  version?: number;
  keepalive?: boolean;
}

/** Sends one request and returns the parsed answer. */
export async function call<T>(path: string, options: Call = {}): Promise<T> {
  const headers: Record<string, string> = { Accept: "application/json" };
  if (options.token) headers.Authorization = `Bearer ${options.token}`;
  if (options.version !== undefined) headers["If-Match"] = `"${options.version}"`;
  const init: RequestInit = { method: options.method ?? "GET", headers };
  if (options.body !== undefined) {
    headers["Content-Type"] = "application/json";
    init.body = JSON.stringify(options.body);
  }
  if (options.keepalive) init.keepalive = true;
  else init.signal = AbortSignal.timeout(TIMEOUT_MS);
  try {
    const response = await fetch(path, init);
    if (!response.ok) throw response;
    return (response.status === 204 ? undefined : await response.json()) as T;
  } catch (failure) {
    throw await toProblem(failure);
  }
}

/** What a failed request means: an answer that says no, or that none came. */
export async function toProblem(failure: unknown): Promise<Problem> {
  if (failure instanceof Problem) return failure;
  return failure instanceof Response ? problemOf(failure) : new Problem(0, { detail: String(failure) }, null);
}

async function problemOf(response: Response): Promise<Problem> {
  const body = (await response.json().catch(() => ({}))) as ProblemBody;
  const requestId = response.headers.get("X-Request-Id");
  if (requestId && !body.request_id) body.request_id = requestId;
  return new Problem(response.status, body, retryAfter(response.headers.get("Retry-After")));
}

function retryAfter(header: string | null): number | null {
  const seconds = header === null ? NaN : Number(header);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : null;
}

/** Waiting time before attempt `attempt` (0, 1, …): doubling up to five minutes, plus up to half as jitter. */
export function backoffMs(attempt: number, retryAfterMs: number | null, random = Math.random()): number {
  const base = Math.max(retryAfterMs ?? 0, Math.min(300_000, 1000 * 2 ** attempt));
  return Math.round(base * (1 + random / 2));
}
