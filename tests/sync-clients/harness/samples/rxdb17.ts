/** How an app sends for the adapter. README shows what follows the imports. */

import type { Refusal, Send } from "../../../../web/src/sync/wire.ts";

/** Sends as the volunteer whose token it is at the moment. */
export function sender(token: () => string): Send {
  return async (url, { method = "GET", body } = {}) => {
    const headers = { Authorization: `Bearer ${token()}`, "Content-Type": "application/json" };
    const asked = fetch(url, { method, headers, body: body === undefined ? null : JSON.stringify(body) });
    const answer = await asked.catch(() => Response.error());
    if (answer.ok) return answer.json();
    throw {
      status: answer.status,
      body: await answer.json().catch(() => ({})),
      retryAfterMs: Number(answer.headers.get("Retry-After")) * 1000 || 0,
    } satisfies Refusal;
  };
}
