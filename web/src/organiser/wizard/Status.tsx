/** What is said of the draft's keeping: in the bar, over the page when two people write, instead of the page. */
import { useEffect, useRef, useState } from "preact/hooks";
import { listPath, livePath } from "../route.ts";
import { listed, say, timeOfDay } from "./language.ts";
import { draft, opened, openProblem, resolve, saveNow, saving } from "./state.ts";

function words(): { text: string; tone: "" | "warn" | "bad" } {
  const now = saving.value;
  if (now.at === "start") return { text: "", tone: "" };
  // A device that keeps nothing is what matters most, unless the server has all.
  if (!now.isKept && now.at === "incomplete") return { text: say("only_tab"), tone: "warn" };
  switch (now.at) {
    case "incomplete":
      return { text: say("kept_until", { what: listed(now.missing.map((what) => say(`lacks_${what}`))) }), tone: "" };
    case "waiting":
    case "sending":
      return { text: say("saving"), tone: "" };
    case "saved":
      return { text: say("saved_at", { time: timeOfDay(now.time) }), tone: "" };
    case "offline":
      return { text: say(now.isKept ? "not_saved_device" : "not_saved_tab"), tone: "warn" };
    case "trouble":
      return { text: say(now.isKept ? "trouble_device" : "trouble_tab"), tone: "warn" };
    case "refused":
      return { text: say("save_refused"), tone: "bad" };
    case "conflict":
      return { text: say("save_conflict"), tone: "bad" };
  }
}

export function SaveStatus() {
  const { text, tone } = words();
  return (
    <span class={`muted status ${tone}`} role="status">
      {text}
    </span>
  );
}

/** What the server said when it did not take the draft; for the steps to show. */
export function Refused() {
  const now = saving.value;
  if (now.at !== "refused") return null;
  const { errors, detail, request_id } = now.problem.body;
  return (
    <div class="msg bad" role="alert">
      <div class="grow">
        <b>{say("refused_title")}</b>
        <ul lang="en">
          {(errors?.length ? errors : [{ pointer: "", detail: detail ?? "" }]).map((error) => (
            <li key={error.pointer + error.detail} class="plain">
              {error.pointer && <code>{error.pointer}</code>} {error.detail}
            </li>
          ))}
        </ul>
        {request_id && <p class="help">{say("request_id", { id: request_id })}</p>}
        <button type="button" class="btn sm" onClick={() => void saveNow()}>
          {say("try_again")}
        </button>
      </div>
    </div>
  );
}

/** Somebody else has changed the draft: nothing is written over anybody's work without being asked. */
export function Conflict() {
  const isOpen = saving.value.at === "conflict";
  const dialog = useRef<HTMLDialogElement>(null);
  const [hasFailed, setFailed] = useState(false);
  useEffect(() => {
    if (isOpen && !dialog.current?.open) dialog.current?.showModal();
    if (!isOpen) dialog.current?.close();
  }, [isOpen]);
  const decide = (how: "theirs" | "ours") => {
    setFailed(false);
    resolve(how).catch(() => setFailed(true));
  };
  return (
    <dialog class="ask" ref={dialog} aria-labelledby="conflict-h" onCancel={(event) => event.preventDefault()}>
      <h2 id="conflict-h">{say("conflict_title")}</h2>
      <p>{say("conflict_text")}</p>
      {hasFailed && (
        <p class="wrong" role="alert">
          {say("conflict_failed")}
        </p>
      )}
      <div class="acts">
        <button type="button" class="btn" onClick={() => decide("theirs")}>
          {say("conflict_theirs")}
        </button>
        <button type="button" class="btn primary" onClick={() => decide("ours")}>
          {say("conflict_ours")}
        </button>
      </div>
    </dialog>
  );
}

export function NotOpened() {
  if (opened.value === "loading") return <main class="page" aria-busy="true" />;
  const key = opened.value === "missing" ? "missing" : opened.value === "published" ? "published" : "trouble";
  const slug = decodeURIComponent(location.pathname.split("/")[2] ?? draft.value.slug);
  return (
    <main class="page">
      <div class="card blank" role="alert">
        <div>
          <b>{say(`open_${key}_title`)}</b>
          {say(`open_${key}_text`)}
          {openProblem.value?.body.request_id && (
            <p class="help">{say("request_id", { id: openProblem.value.body.request_id })}</p>
          )}
        </div>
        <a class="btn" href={key === "published" ? livePath(slug) : listPath}>
          {say(key === "published" ? "open_live" : "open_list")}
        </a>
      </div>
    </main>
  );
}
