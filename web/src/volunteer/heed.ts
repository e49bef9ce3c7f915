/** What receipts change on this device: why a look was refused, and how the others were stored. */
import { say } from "./language.ts";
import type { LookLog } from "./looklog.ts";
import type { Outbox } from "./outbox.ts";
import type { Receipt, Standing } from "./receipts.ts";
import * as store from "./store.ts";

export async function heed(
  outbox: Outbox,
  log: LookLog,
  receipts: readonly Receipt[],
  awaited: ReadonlySet<string>,
): Promise<void> {
  const standings = new Map<string, Standing>();
  for (const { id, verdict, standing, detail } of receipts) {
    if (verdict === "refused") await outbox.refuse(id, { why: detail ?? "" });
    else if (standing) standings.set(id, standing);
  }
  if (receipts.length > 0) store.outboxCounts.value = await outbox.counts();
  if (standings.size === 0) return;
  const noted = await log.note(standings);
  const late = noted.filter((id) => awaited.has(id) && standings.get(id) !== "counted").length;
  if (late > 0) store.notify(say("pill_late", { n: late }));
}
