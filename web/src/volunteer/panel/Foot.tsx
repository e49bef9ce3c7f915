/** Own looks, whether they are saved, and the crowd's progress. */
import { cellsToSearch } from "../../shared/progress.ts";
import { Icon } from "../../shared/symbols.tsx";
import { say, words } from "../language.ts";
import { along, dialog, mine, outboxCounts, progress, sendState } from "../store.ts";
import { Rich } from "../text.tsx";

function Saved() {
  const { waiting } = outboxCounts.value;
  if (waiting === 0) {
    return mine.value.looks > 0 ? (
      <span class="saved">
        <Icon name="check" small />
        {say("all_saved")}
      </span>
    ) : null;
  }
  if (sendState.value.kind === "waiting") return <span class="saved late">{say("waiting", { n: waiting })}</span>;
  return (
    <span class="saved">
      <span class="spin" />
      {say("saving")}
    </span>
  );
}

export function Foot() {
  const { looks, tags } = mine.value;
  return (
    <div class="foot num">
      <div class="row">
        <span>
          {looks === 0 ? (
            say("you_first")
          ) : (
            <Rich text={say("you_looks", { n: looks }) + say("you_tags", { n: tags })} />
          )}
        </span>
        <Saved />
      </div>
      {along.value.left > 0 && (
        <button type="button" class="plain" onClick={() => (dialog.value = "along")}>
          {say("along_left_here", { n: along.value.left })}
        </button>
      )}
      <Crowd />
    </div>
  );
}

/** How far all together are. */
export function Crowd() {
  const crowd = progress.value;
  if (!crowd) return null;
  return (
    <div class="crowd num">
      <div class="meter" role="img" aria-label={say("together_label", { share: words.percent(crowd.coverage) })}>
        <i style={{ width: `${crowd.coverage * 100}%` }} />
      </div>
      <div>{say("together", { done: crowd.cells_done, cells: cellsToSearch(crowd), n: crowd.volunteers })}</div>
    </div>
  );
}
