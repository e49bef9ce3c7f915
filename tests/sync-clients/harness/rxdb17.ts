/** RxDB 17 with its own replication plugin and the adapter of our pages. */

import { EventSource } from "eventsource";
import type { RxDatabase } from "rxdb/plugins/core";
import { createRxDatabase, type RxCollection } from "rxdb17/plugins/core";
import { replicateRxCollection } from "rxdb17/plugins/replication";
import { getRxStorageMemory } from "rxdb17/plugins/storage-memory";
import { replicate } from "../../../web/src/sync/rxdb.ts";
import { openWire } from "../../../web/src/sync/wire.ts";
import { type Options, RETRY_MS, type Replication, type Stock } from "./rx-phone.ts";
import { sender } from "./samples/rxdb17.ts";

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
