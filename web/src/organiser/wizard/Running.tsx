/** The wizard of a campaign that runs: its area may grow, and what is searched first may change. */
import { useEffect } from "preact/hooks";
import type { Problem } from "../../shared/api.ts";
import { middleOf } from "../../shared/tiles.ts";
import { livePath } from "../route.ts";
import { AreaForm } from "./Area.tsx";
import { EstimateBox } from "./EstimateBox.tsx";
import { Message } from "./fields.tsx";
import { say, timeOfDay } from "./language.ts";
import { MapView } from "./MapView.tsx";
import { showPlace } from "./mapview.ts";
import { apply, applying, cellIn, drop, isChanged, isWhole } from "./running.ts";
import { stored } from "./state.ts";

export function RunningBody() {
  useEffect(() => {
    // It is kept nowhere before it is applied.
    const warn = (event: BeforeUnloadEvent) => isChanged.value && event.preventDefault();
    addEventListener("beforeunload", warn);
    return () => removeEventListener("beforeunload", warn);
  }, []);
  return (
    <>
      <section class="view" aria-label={say("view_label")}>
        <MapView isShown />
        <EstimateBox />
      </section>
      <section class="form" aria-label={say("form_label")}>
        <h1>{say("running_title")}</h1>
        <p>{say("running_lead")}</p>
        <Outcome />
        <AreaForm />
      </section>
      <Foot />
    </>
  );
}

function Foot() {
  const isBusy = applying.value.at === "sending";
  return (
    <footer class="foot">
      <a class="btn ghost" href={livePath(stored.value!.slug)}>
        {say("open_live")}
      </a>
      <span class="grow" />
      {isChanged.value && (
        <button type="button" class="btn" disabled={isBusy} onClick={drop}>
          {say("running_drop")}
        </button>
      )}
      <button
        type="button"
        class="btn primary"
        disabled={isBusy || !isChanged.value || !isWhole.value}
        onClick={() => void apply()}
      >
        {say(isBusy ? "running_sending" : "running_apply")}
      </button>
    </footer>
  );
}

/** What became of it, and until it is applied that it is not. */
function Outcome() {
  const now = applying.value;
  if (now.at === "refused") return <Refused problem={now.problem} />;
  if (now.at === "overtaken") return <Message tone="bad">{say("running_overtaken")}</Message>;
  if (isChanged.value) return <Message tone="warn">{say("running_waiting")}</Message>;
  if (now.at !== "done") return null;
  return (
    <Message tone="good">
      <span role="status">{say("running_done", { time: timeOfDay(now.time) })}</span>
    </Message>
  );
}

function Refused({ problem }: { problem: Problem }) {
  const { errors, detail, request_id } = problem.body;
  const texts = errors?.length ? errors.map((error) => error.detail) : [detail ?? ""];
  const cell = cellIn(texts.join(" "));
  return (
    <Message tone="bad">
      <div>
        <b>{say("running_refused")}</b>
        {problem.isOffline ? (
          <p>{say("running_offline")}</p>
        ) : (
          texts.map((text) => (
            <p key={text} lang="en">
              {text}
            </p>
          ))
        )}
        {cell && (
          <button type="button" class="link" onClick={() => showPlace(middleOf(cell))}>
            {say("running_show", { cell })}
          </button>
        )}
        {request_id && <p class="help">{say("request_id", { id: request_id })}</p>}
      </div>
    </Message>
  );
}
