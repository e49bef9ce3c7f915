/** Tiles that are fetched before volunteers ask for them: how far that is, and starting and stopping it. */
import type { Prefetch } from "../../shared/contract.ts";
import { say, words } from "../language.ts";
import { key } from "../session.ts";
import { coarse, wholeShare } from "./ages.ts";
import {
  act,
  actOf,
  actTrouble,
  hasGaps,
  isActing,
  isLeftAlone,
  notHad,
  prefetch,
  readTrouble,
  shareOf,
} from "./prefetch.ts";
import { seconds } from "./Time.tsx";
import { Trouble } from "./Trouble.tsx";
import { refreshPrefetch } from "./tasks.ts";

export function Prefetching() {
  if (!key.value) return null;
  const known = prefetch.value;
  if (!known && !readTrouble.value) return null;
  return (
    <section class="card prefetch" aria-labelledby="h-prefetch">
      <header>
        <h2 id="h-prefetch" class="grow">
          {say("prefetch_title")}
        </h2>
        {known && <Button known={known} />}
      </header>
      <div class="body">
        {readTrouble.value && <Trouble problem={readTrouble.value} what="trouble_prefetch_read" />}
        {actTrouble.value && <Trouble problem={actTrouble.value} what="trouble_prefetch" />}
        {known && (known.state === "not_begun" ? <Before known={known} /> : <Course known={known} />)}
      </div>
    </section>
  );
}

function Button({ known }: { known: Prefetch }) {
  const what = actOf(known);
  const run = async () => {
    await act(what);
    refreshPrefetch();
  };
  return (
    <button type="button" class="btn sm" disabled={isActing.value} onClick={() => void run()}>
      {say(`prefetch_${what}`)}
    </button>
  );
}

const tilesText = ({ tiles, zooms: [min, max] }: Prefetch) => say("prefetch_tiles", { n: tiles, min, max });

function Before({ known }: { known: Prefetch }) {
  return (
    <>
      <p>{say("prefetch_text")}</p>
      <p class="muted num">{tilesText(known)}</p>
    </>
  );
}

function stateText({ state, trouble }: Prefetch): string {
  if (state === "running") return say(trouble ? "prefetch_waiting" : "prefetch_running");
  return say(state === "done" ? "prefetch_done" : "prefetch_stopped");
}

function factsOf(known: Prefetch): string {
  const facts = [say("prefetch_left", { n: known.left })];
  if (known.state === "running") {
    facts.push(say("prefetch_rate", { rate: known.rate_per_second }));
    if (known.seconds_left !== null) facts.push(say("prefetch_eta", { time: seconds(coarse(known.seconds_left)) }));
  }
  if (known.failed) facts.push(say("prefetch_failed", { n: known.failed }));
  if (known.missing) facts.push(say("prefetch_missing", { n: known.missing }));
  return facts.join(", ");
}

function Course({ known }: { known: Prefetch }) {
  const share = shareOf(known);
  return (
    <>
      <p class="num">
        <b role="status">{stateText(known)}</b> · {say("prefetch_of", { done: known.done, n: known.tiles })} ·{" "}
        {words.percent(wholeShare(share))}
      </p>
      <div
        class="hbar"
        role="progressbar"
        aria-label={say("prefetch_bar")}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.floor(share * 100)}
      >
        <i style={{ width: `${share * 100}%` }} />
      </div>
      <p class="muted num">{factsOf(known)}</p>
      <p class="muted num">{tilesText(known)}</p>
      {known.trouble && <p class="wrong">{say("prefetch_trouble", { reason: known.trouble.reason })}</p>}
      {isLeftAlone.value && <p class="wrong">{say("prefetch_nobody")}</p>}
      {hasGaps(known) && notHad.value.length > 0 && <NotHad known={known} />}
    </>
  );
}

function NotHad({ known }: { known: Prefetch }) {
  const more = known.failed + known.missing - notHad.value.length;
  return (
    <details>
      <summary>{say("prefetch_not_had")}</summary>
      <ul class="nothad">
        {notHad.value.map(({ tile, reason }) => (
          <li key={tile}>
            <span class="num" dir="ltr">
              {tile}
            </span>{" "}
            <span class="muted">{reason}</span>
          </li>
        ))}
      </ul>
      {more > 0 && <p class="muted">{say("prefetch_more", { n: more })}</p>}
    </details>
  );
}
