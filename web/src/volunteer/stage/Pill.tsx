/** The one pill over the image: the most important thing to know now, or nothing. */
import type { ComponentChildren } from "preact";
import { Icon } from "../../shared/symbols.tsx";
import { isByOperators } from "../hold.ts";
import { say } from "../language.ts";
import {
  along,
  block,
  clock,
  dialog,
  isDurable,
  isSlow,
  isTry,
  notice,
  outboxCounts,
  plateState,
  sendState,
  square,
} from "../store.ts";
import { Rich, timeLeft } from "../text.tsx";

const SAVING_SHOWN_AFTER_MS = 1000;

function current(): { tone: "" | "warn"; sign: ComponentChildren; text: string } | null {
  const { waiting, refused, only_here } = outboxCounts.value;
  const state = sendState.value;
  if (notice.value) return { tone: "", sign: null, text: notice.value };
  if (only_here > 0) return { tone: "warn", sign: <span class="dot" />, text: say("pill_full", { n: only_here }) };
  // The card about it says the same.
  if (state.kind === "waiting" && waiting > 0 && !(block.value?.kind === state.reason && state.reason !== "offline")) {
    if (state.reason === "offline") {
      const { left } = along.value;
      const text =
        left > 0
          ? say("pill_offline_along", { n: waiting, left })
          : say(isDurable.value ? "pill_offline" : "pill_offline_memory", { n: waiting });
      return { tone: "warn", sign: <Icon name="offline" small />, text };
    }
    const { reason } = state;
    const text = isByOperators(reason)
      ? say(reason === "maintenance" ? "pill_maintenance" : "pill_read_only", { n: waiting })
      : say(reason === "limited" ? "pill_limited" : "pill_busy", {
          n: waiting,
          wait: timeLeft(state.until, clock.value),
        });
    return { tone: "warn", sign: <span class="dot" />, text };
  }
  if (square.value && !block.value && plateState.value === "loading" && isSlow.value)
    return { tone: "", sign: <span class="spin" />, text: say("pill_loading") };
  if (refused.length > 0)
    return { tone: "warn", sign: <span class="dot" />, text: say("pill_refused", { n: refused.length }) };
  if (state.kind === "sending" && clock.value - state.since > SAVING_SHOWN_AFTER_MS) {
    return { tone: "", sign: <span class="spin" />, text: say("pill_saving", { n: state.looks }) };
  }
  if (isTry.value) return { tone: "", sign: null, text: say("pill_try") };
  return null;
}

export function Pill() {
  const pill = current();
  if (!pill) return null;
  const isAboutRefused = pill.text === say("pill_refused", { n: outboxCounts.value.refused.length });
  const content = (
    <>
      {pill.sign}
      <span class="num">
        <Rich text={pill.text} />
      </span>
    </>
  );
  return (
    <div class="over ts">
      {isAboutRefused && !block.value ? (
        <button type="button" class={`pill float ${pill.tone}`} onClick={() => (dialog.value = "menu")}>
          {content}
        </button>
      ) : (
        <span class={`pill float ${pill.tone}`}>{content}</span>
      )}
    </div>
  );
}
