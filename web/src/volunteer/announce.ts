/** What screen readers hear of trouble: that it began and that it ended; countdowns stay silent between. */
import { effect } from "@preact/signals";
import { type Hold, isHold } from "./hold.ts";
import { say } from "./language.ts";
import * as store from "./store.ts";

/** Why nothing can be sent or fetched now; "" while all is well. */
function trouble(): "" | Hold {
  const card = store.block.value;
  if (card && isHold(card.kind)) return card.kind;
  const state = store.sendState.value;
  return state.kind === "waiting" && store.outboxCounts.value.waiting > 0 ? state.reason : "";
}

export function announceTrouble(): void {
  effect(() => {
    const n = store.outboxCounts.value.only_here;
    if (n > 0) store.announcement.value = say("pill_full", { n });
  });
  let last: ReturnType<typeof trouble> = "";
  effect(() => {
    // An attempt under way is neither the end nor a new beginning.
    if (store.sendState.value.kind === "sending") return;
    const now = trouble();
    if (now === last) return;
    const n = store.outboxCounts.peek().waiting;
    const isBack = now === "" && !store.block.peek();
    last = now;
    if (now !== "") store.announcement.value = say(`said_${now}`, { n });
    else if (isBack) store.announcement.value = say("said_again");
  });
}
