/**
 * Pausing and closing: asked once, with what it means for the people who are looking.
 *
 * Invariant: nothing is done before its button is pressed, and a failure is told here with the dialog still open.
 */
import { signal } from "@preact/signals";
import { useRef, useState } from "preact/hooks";
import type { Problem } from "../../shared/api.ts";
import { cellsToSearch } from "../../shared/progress.ts";
import { say } from "../language.ts";
import { Decision } from "./Decision.tsx";
import { Dialog } from "./Dialog.tsx";
import { deciding } from "./decide.ts";
import { campaign, progress } from "./state.ts";
import { Trouble } from "./Trouble.tsx";
import { type Action, steer } from "./tasks.ts";

const MESSAGE_SIGNS = 500;

export const dialog = signal<"pause" | "close" | null>(null);
const leave = () => (dialog.value = null);

/** Does it and leaves, or says why not. */
function useAction(action: Action) {
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const act = async (body: object = {}) => {
    setBusy(true);
    setProblem(null);
    try {
      await steer(action, body);
      leave();
    } catch (error) {
      setProblem(error as Problem);
      setBusy(false);
    }
  };
  return { isBusy, problem, act };
}

function Pause() {
  const [message, setMessage] = useState(campaign.value?.message ?? "");
  const { isBusy, problem, act } = useAction("pause");
  const keep = useRef<HTMLButtonElement>(null);
  const active = progress.value?.volunteers_active;
  return (
    <Dialog
      title={say("pause_title")}
      text={active === undefined ? say("pause_text_unknown") : say("pause_text", { n: active })}
      first={keep}
      onLeave={leave}
      onSubmit={() => void act({ message: message.trim() || null })}
    >
      <label for="pause-message">{say("pause_message")}</label>
      <input
        class="field"
        id="pause-message"
        dir="auto"
        maxLength={MESSAGE_SIGNS}
        autocomplete="off"
        value={message}
        onInput={(event) => setMessage(event.currentTarget.value)}
      />
      {problem && <Trouble problem={problem} what="trouble_pause" />}
      <div class="btns">
        <button type="button" class="btn" ref={keep} onClick={leave}>
          {say("keep_open")}
        </button>
        <button type="submit" class="btn primary" disabled={isBusy}>
          {say("pause_now")}
        </button>
      </div>
    </Dialog>
  );
}

function Close() {
  const c = campaign.value!;
  const [typed, setTyped] = useState("");
  const [isWrong, setWrong] = useState(false);
  const { isBusy, problem, act } = useAction("close");
  const field = useRef<HTMLInputElement>(null);
  const [before, after] = say("close_type", { slug: "\n" }).split("\n");
  const p = progress.value;
  const unfinished = p && c.state !== "preparing" ? cellsToSearch(p) - p.cells_done : null;
  const submit = () => {
    setWrong(typed.trim() !== c.slug);
    if (typed.trim() === c.slug) void act();
    else field.current?.focus();
  };
  return (
    <Dialog
      title={say("close_title")}
      text={unfinished ? say("close_text", { n: unfinished, looks: c.looks_wanted }) : say("close_text_done")}
      first={field}
      onLeave={leave}
      onSubmit={submit}
    >
      <label for="close-slug">
        {before}
        <bdi class="slug">{c.slug}</bdi>
        {after}
      </label>
      <input
        class="field"
        id="close-slug"
        dir="ltr"
        autocomplete="off"
        autocapitalize="none"
        spellcheck={false}
        ref={field}
        value={typed}
        aria-invalid={isWrong}
        aria-describedby="close-wrong"
        onInput={(event) => setTyped(event.currentTarget.value)}
      />
      <p id="close-wrong" class="wrong" role="status">
        {isWrong && say("close_wrong", { slug: c.slug })}
      </p>
      {problem && <Trouble problem={problem} what="trouble_close" />}
      <div class="btns">
        <button type="button" class="btn" onClick={leave}>
          {say(c.state === "open" ? "keep_open" : "keep_it")}
        </button>
        <button type="submit" class="btn danger primary" disabled={isBusy}>
          {say("close_now")}
        </button>
      </div>
    </Dialog>
  );
}

export function Dialogs() {
  if (!campaign.value) return null;
  if (deciding.value) return <Decision />;
  if (dialog.value === null) return null;
  return dialog.value === "pause" ? <Pause /> : <Close />;
}
