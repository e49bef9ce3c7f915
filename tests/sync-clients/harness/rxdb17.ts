/** RxDB 17 with its own replication plugin and the adapter of our pages. */

import { EventSource } from "eventsource";
import type { RxDatabase } from "rxdb/plugins/core";
import { createRxDatabase, type RxCollection } from "rxdb17/plugins/core";
import { replicateRxCollection } from "rxdb17/plugins/replication";
import { getRxStorageMemory } from "rxdb17/plugins/storage-memory";
import { replicate } from "../../../web/src/sync/rxdb.ts";
import { openWire, type Refusal, type Send } from "../../../web/src/sync/wire.ts";
import { type Options, RETRY_MS, type Replication, type Stock } from "./rx-phone.ts";

export const rxdb17: Stock = {
  name: "RxDB 17",
  database: async (name) => {
    const database = await createRxDatabase({ name, storage: getRxStorageMemory(), multiInstance: false });
    return database as unknown as RxDatabase;
  },
  replicate: start,
};

function start(options: Options): Replication {
  let { token } = options.volunteer;
  const wire = openWire({ base: options.server, send: sender(() => token), EventSource });
  const replication = replicate(wire, options.name, (given) => {
    const state = replicateRxCollection({
      ...given,
      collection: options.collection as unknown as RxCollection,
      replicationIdentifier: `${options.identifier}-${given.replicationIdentifier}`,
      pull: { ...given.pull, batchSize: options.pullBatch },
      ...(given.push && { push: { ...given.push, batchSize: options.pushBatch } }),
      live: options.live,
      retryTime: RETRY_MS,
    } as never);
    state.error$.subscribe((error) => options.onError(error.code));
    return state;
  });
  return {
    cancel: () => replication.cancel(),
    isStopped: () => replication.state.isStopped(),
    setToken: (other) => {
      token = other;
    },
  };
}

/** As an app writes it over `fetch`. */
function sender(token: () => string): Send {
  return async (url, { method = "GET", body } = {}) => {
    const headers = { authorization: `Bearer ${token()}`, "content-type": "application/json" };
    const asked = fetch(url, { method, headers, body: body === undefined ? null : JSON.stringify(body) });
    const answer = await asked.catch(() => {
      throw { status: 0, body: {}, retryAfterMs: null } satisfies Refusal;
    });
    if (answer.ok) return answer.json();
    const wait = answer.headers.get("retry-after");
    throw {
      status: answer.status,
      body: await answer.json().catch(() => ({})),
      retryAfterMs: wait === null ? null : Number(wait) * 1000,
    } satisfies Refusal;
  };
}
