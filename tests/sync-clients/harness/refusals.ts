import type { Fault } from "./network.ts";

/** Statuses with which a sync call is refused, and the code that our servers give with each. */
export const CODES = {
  401: "token_invalid",
  403: "volunteer_forgotten",
  409: "sync_conflict",
  413: "body_too_large",
  426: "schema_outdated",
  429: "too_many_requests",
  503: "unavailable",
} as const;

export type Status = keyof typeof CODES;

/** A refusal as our servers write it. */
export function refusal(status: Status, code: string = CODES[status]): Fault {
  const problem = { type: "about:blank", title: "Refused", status, detail: "Try again.", code, error: true };
  return { kind: "answer", status, body: JSON.stringify(problem), type: "application/problem+json" };
}

/** What a load balancer says that reaches no server. */
export const BUSY: Fault = { kind: "answer", status: 503, body: "<h1>Busy</h1>", type: "text/html" };
