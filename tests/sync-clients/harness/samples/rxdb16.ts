/** RxDB 16 in an app. README shows what follows the imports. */

import { type RxServerReplicationState, replicateServer } from "rxdb-server/plugins/replication-server";
import { take } from "rxjs";

/** Replicates a collection, and begins again from nothing when it is told to; `onOutdated`: the app is too old. */
export function replicate(options: Parameters<typeof replicateServer>[0], onOutdated: () => void) {
  const running = { state: begin(0) };
  function begin(generation: number): RxServerReplicationState<unknown> {
    // Another identifier is another memory of what was replicated.
    const replicationIdentifier = `${options.replicationIdentifier}-${generation}`;
    const state = replicateServer({ ...options, replicationIdentifier });
    // The client does not say which 426 it was; whoever begins is given one only where the app is too old.
    const ask = () => fetch(`${options.url}/pull?lwt=0&id=&limit=1`, { headers: state.headers }).then(told, later);
    const later = () => setTimeout(ask, 5000);
    const told = ({ status }: Response) => {
      if (status === 426) onOutdated();
      else running.state = begin(generation + 1);
    };
    state.outdatedClient$.pipe(take(1)).subscribe(ask);
    return state;
  }
  return running;
}
