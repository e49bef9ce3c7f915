/** WatermelonDB in an app. README shows what follows the imports. */

import { createRequire } from "node:module";
import type { Database } from "@nozbe/watermelondb";
import type { SyncPushResult, SyncTableChangeSet } from "@nozbe/watermelondb/sync";

// Its modules are folders, which Node finds only in this way.
const require = createRequire(import.meta.url);
const { hasUnsyncedChanges, synchronize } =
  require("@nozbe/watermelondb/sync") as typeof import("@nozbe/watermelondb/sync");

/** Sends the token and `Content-Type: application/json`; throws unless the answer is a 2xx. */
type Call = (path: string, options?: RequestInit) => Promise<Response>;
type Changes = { [table in "looks" | "tags"]: SyncTableChangeSet };

/** As many of the largest rows are less than the 8 MiB of a push. */
const ROWS = 250;

/** Pulls and pushes until all is here and there. */
export async function sync(database: Database, call: Call): Promise<void> {
  let more = false;
  do {
    await synchronize({
      database,
      sendCreatedAsUpdated: true,
      migrationsEnabledAtVersion: 1,
      pullChanges: async ({ lastPulledAt, schemaVersion, migration }) => {
        const anew = encodeURIComponent(JSON.stringify(migration));
        const query = `last_pulled_at=${lastPulledAt}&schema_version=${schemaVersion}&migration=${anew}`;
        const pulled = await (await call(`/v1/sync/watermelondb?${query}`)).json();
        more = pulled.more;
        return pulled;
      },
      pushChanges: ({ changes, lastPulledAt }) =>
        push(changes as Changes, (some) =>
          call(`/v1/sync/watermelondb?last_pulled_at=${lastPulledAt}`, { method: "POST", body: JSON.stringify(some) }),
        ),
    });
  } while (more || (await hasUnsyncedChanges({ database })));
}

/** Looks first. What was not sent when a call fails stays to be pushed, and nothing is sent again. */
async function push(changes: Changes, send: (some: object) => Promise<unknown>): Promise<SyncPushResult> {
  const unsent = { looks: [] as string[], tags: [] as string[] };
  let [isAnySent, failure] = [false, null as unknown];
  for (const table of ["looks", "tags"] as const)
    for (const kind of ["created", "updated", "deleted"] as const)
      for (let at = 0; at < changes[table][kind].length; at += ROWS) {
        const rows = changes[table][kind].slice(at, at + ROWS);
        failure ??= await send({ [table]: { [kind]: rows } }).then(
          () => null,
          (error) => error,
        );
        if (failure) unsent[table].push(...rows.map((row) => (typeof row === "string" ? row : row.id)));
        else isAnySent = true;
      }
  if (failure && !isAnySent) throw failure;
  return { experimentalRejectedIds: unsent };
}

/** After 426: the next `sync` pulls everything, and pushes everything that was made here. */
export async function startAgain(database: Database): Promise<void> {
  await database.write(async () => {
    const rows = (...tables: string[]) => Promise.all(tables.map((table) => database.get(table).query().fetch()));
    const made = (await rows("looks", "tags")).flat();
    const told = (await rows("campaigns", "assignments", "receipts")).flat();
    await database.batch([
      ...made.map((row) => row.prepareUpdate(() => Object.assign(row._raw, { _status: "created" }))),
      ...told.map((row) => row.prepareDestroyPermanently()),
    ]);
    await database.adapter.removeLocal("__watermelon_last_pulled_schema_version");
    await database.adapter.removeLocal("__watermelon_last_pulled_at");
  });
}
