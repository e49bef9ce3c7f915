/** RxDB 16 with the replication client of rxdb-server, which needs nothing but an address. */

import { createRxDatabase } from "rxdb/plugins/core";
import { getRxStorageMemory } from "rxdb/plugins/storage-memory";
import { type Options, RETRY_MS, type Replication, type Stock } from "./rx-phone.ts";
import { replicate } from "./samples/rxdb16.ts";

export const rxdb16: Stock = {
  name: "RxDB 16",
  database: (name) => createRxDatabase({ name, storage: getRxStorageMemory(), multiInstance: false }),
  replicate: start,
};

function start(options: Options): Replication {
  const given = {
    collection: options.collection,
    url: `${options.server}/v1/sync/rxdb/${options.name}/${options.schemaVersion}`,
    headers: bearer(options.volunteer.token),
    replicationIdentifier: options.identifier,
    pull: { batchSize: options.pullBatch },
    ...(options.isWritable && { push: { batchSize: options.pushBatch } }),
    live: options.live,
    retryTime: RETRY_MS,
    waitForLeadership: false,
  };
  const running = replicate(given, () => options.onError("outdated"));
  running.state.error$.subscribe((error) => options.onError(error.code));
  return {
    cancel: () => running.state.cancel(),
    isStopped: () => running.state.isStopped(),
    setToken: (token) => running.state.setHeaders(bearer(token)),
  };
}

function bearer(token: string): { [name: string]: string } {
  return { Authorization: `Bearer ${token}` };
}
