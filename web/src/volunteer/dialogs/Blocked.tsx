/** The cards that say why there is nothing to look at, what is kept, and what happens next. */
import { isAllSearched } from "../../shared/progress.ts";
import { type Glyph, Icon } from "../../shared/symbols.tsx";
import { skip, undo } from "../actions.ts";
import { isByOperators } from "../hold.ts";
import { say } from "../language.ts";
import { Crowd } from "../panel/Foot.tsx";
import { refreshMap } from "../stage/camera.ts";
import {
  type Block,
  block,
  canUndo,
  clock,
  hasLooked,
  isDurable,
  mine,
  type OnHold,
  others,
  outboxCounts,
  progress,
  square,
} from "../store.ts";
import { currentSession } from "../tagging.ts";
import { Rich } from "../text.tsx";
import { Card } from "./Card.tsx";
import { OtherSearches } from "./OtherSearches.tsx";

const Lead = ({ name, good }: { name: Glyph; good?: boolean }) => (
  <div class={`lead${good ? " good" : ""}`}>
    <Icon name={name} />
  </div>
);

/** The way back to the last square, as long as its look is still here. */
const BackASquare = () =>
  canUndo.value ? (
    <button type="button" class="btn" onClick={undo}>
      <Icon name="undo" small flip />
      {say("back_a_square")}
    </button>
  ) : null;

const TryNow = () => (
  <div class="btns">
    <BackASquare />
    <button type="button" class="btn" onClick={() => void currentSession().tryNow()}>
      {say("try_now")}
    </button>
  </div>
);

const Others = () => (
  <div class="btns">
    <BackASquare />
    <a class="btn" href="/">
      {say("other_searches")}
    </a>
  </div>
);

/** What is kept on this device, in the words of the card. */
function keptSentence(key: "busy_kept" | "offline_kept" | "kept_here"): string {
  const n = outboxCounts.value.waiting;
  if (n === 0) return "";
  return say(isDurable.value ? key : "offline_memory", { n });
}

function Countdown({ until }: { until: number }) {
  const seconds = Math.max(0, Math.ceil((until - clock.value) / 1000));
  return (
    <div class="ring" aria-hidden="true">
      <svg viewBox="0 0 96 96" fill="none">
        <circle class="track" cx="48" cy="48" r="42" stroke-width="6" />
        <circle
          class="left"
          cx="48"
          cy="48"
          r="42"
          stroke-width="6"
          stroke-linecap="round"
          stroke-dasharray="264"
          stroke-dashoffset={264 * (1 - Math.min(1, seconds / 60))}
        />
      </svg>
      <span class="num">
        <b>
          {seconds}
          <small>{say("busy_seconds")}</small>
        </b>
      </span>
    </div>
  );
}

/** The server gives no square now, and goes on by itself. */
function Held({ state }: { state: OnHold }) {
  const { kind, until, message } = state;
  const sign = isByOperators(kind) ? <Lead name="pause" /> : <Countdown until={until} />;
  return (
    <Card role="alertdialog" middle sign={sign} title={say(`${kind}_title`)}>
      <p>
        {say(`${kind}_text`)} <Rich text={keptSentence("busy_kept")} />
      </p>
      {message && (
        <p class="message" dir="auto">
          {say("quoted", { note: message })}
        </p>
      )}
      <TryNow />
      {outboxCounts.value.waiting > 0 && isDurable.value && <p class="fine">{say("busy_fine")}</p>}
    </Card>
  );
}

function Waiting({ state }: { state: Extract<Block, { kind: "offline" | "trouble" }> }) {
  if (state.kind === "offline") {
    return (
      <Card
        role="alertdialog"
        middle
        sign={<Lead name="offline" />}
        title={say(hasLooked.value ? "offline_title" : "offline_first_title")}
      >
        <p>
          {say("offline_text")} <Rich text={keptSentence("offline_kept")} />
        </p>
        <TryNow />
      </Card>
    );
  }
  return (
    <Card role="alertdialog" middle sign={<Lead name="pause" />} title={say("trouble_title")}>
      <p>
        {say("trouble_text")} <Rich text={keptSentence("kept_here")} />
      </p>
      <TryNow />
      {state.request_id && <p class="fine">{say("request_id", { id: state.request_id })}</p>}
    </Card>
  );
}

function Done() {
  // The last looks of all are counted a moment after this card appeared.
  const all = isAllSearched(progress.value);
  const { looks, tags, km2 } = mine.value;
  return (
    <Card
      role="alertdialog"
      middle
      sign={<Lead name="check" good />}
      title={say(all ? "done_all_title" : "done_title")}
    >
      {!all && <p>{say("done_text")}</p>}
      <dl class="stats num">
        <div>
          <dt>{say("done_looks")}</dt>
          <dd>{say("plain_number", { n: looks })}</dd>
        </div>
        <div>
          <dt>{say("done_tags_label")}</dt>
          <dd>{say("plain_number", { n: tags })}</dd>
        </div>
        <div>
          <dt>{say("done_area")}</dt>
          <dd dir="auto">{say("square_kilometres", { n: km2 })}</dd>
        </div>
      </dl>
      <Crowd />
      <OtherSearches />
      <div class="btns">
        <BackASquare />
        {others.value.length > 0 && (
          <a class="btn primary" href="/">
            {say("other_searches")}
          </a>
        )}
      </div>
      <p class="fine">{say("done_fine")}</p>
    </Card>
  );
}

function Settled({
  sign,
  title,
  text,
  message,
}: {
  sign: Glyph;
  title: string;
  text: string;
  message?: string | null;
}) {
  return (
    <Card role="alertdialog" middle sign={<Lead name={sign} />} title={title}>
      <p>
        {text} <Rich text={keptSentence("kept_here")} />
      </p>
      {message && (
        <p class="message" dir="auto">
          {say("quoted", { note: message })}
        </p>
      )}
      <Others />
    </Card>
  );
}

/** The image of the square on the screen did not come whole. */
export function BrokenImage() {
  const again = () => {
    refreshMap();
    void currentSession().reloadImage();
  };
  return (
    <Card role="alertdialog" middle narrow sign={<Lead name="image" />} title={say("error_title")}>
      <p>{say("error_text")}</p>
      <div class="btns">
        <button type="button" class="btn primary" onClick={again}>
          {say("error_again")}
        </button>
        <button type="button" class="btn" disabled={!square.value} onClick={skip}>
          {say("error_other")}
        </button>
      </div>
    </Card>
  );
}

export function Blocked() {
  const state = block.value!;
  switch (state.kind) {
    case "done":
      return <Done />;
    case "held":
      return <Settled sign="pause" title={say("held_title")} text={say("held_text")} />;
    case "busy":
    case "limited":
    case "not_let_in":
    case "read_only":
    case "maintenance":
      return <Held state={state} />;
    case "offline":
    case "trouble":
      return <Waiting state={state} />;
    case "paused": {
      const saved = outboxCounts.value.waiting === 0 ? `${say("paused_saved")} ` : "";
      return (
        <Settled sign="pause" title={say("paused_title")} text={saved + say("paused_text")} message={state.message} />
      );
    }
    case "closed":
      return <Settled sign="check" title={say("closed_title")} text={say("closed_text")} />;
    case "not_started":
      return <Settled sign="pause" title={say("not_started_title")} text={say("not_started_text")} />;
    case "missing":
      return <Settled sign="image" title={say("missing_title")} text={say("missing_text")} />;
  }
}
