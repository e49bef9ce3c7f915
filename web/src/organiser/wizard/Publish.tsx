/** Step 5: what stands in the way, the link, and publishing. */
import { signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Problem } from "../../shared/api.ts";
import type { Progress } from "../../shared/contract.ts";
import { Icon } from "../../shared/symbols.tsx";
import { livePath } from "../route.ts";
import { organiserCall } from "../session.ts";
import { type Check, coverageOf, type Step } from "./checks.ts";
import { partsOf, slugFor } from "./definition.ts";
import { mainText } from "./draft.ts";
import { estimate } from "./estimate.ts";
import { coverageWords, facts } from "./Imagery.tsx";
import { languageName, listed, measured, say, words } from "./language.ts";
import { Refused } from "./Status.tsx";
import { checks, draft, forgetDraft, go, layer, saveNow, saving, stored } from "./state.ts";

const ASK_EVERY_MS = 700;

type Publishing =
  | { at: "none" }
  | { at: "asking" }
  | { at: "preparing"; done: number; cells: number }
  | { at: "failed"; problem: Problem | null };

const publishing = signal<Publishing>({ at: "none" });
export const isPublishing = signal(false);

async function publish(): Promise<void> {
  isPublishing.value = true;
  publishing.value = { at: "asking" };
  try {
    if (!(await saveNow())) {
      const now = saving.value;
      publishing.value = { at: "failed", problem: "problem" in now ? now.problem : null };
      return;
    }
    const path = `/v1/campaigns/${encodeURIComponent(stored.value!.slug)}`;
    await organiserCall(`${path}/publish`, { method: "POST" });
    await forgetDraft();
    await prepared(path);
    location.assign(livePath(stored.value!.slug));
  } catch (error) {
    publishing.value = { at: "failed", problem: error as Problem };
  } finally {
    isPublishing.value = false;
  }
}

/** Waits until the cells are made, and says how far they are. A lost answer is asked for again. */
async function prepared(path: string): Promise<void> {
  for (;;) {
    const answer = await organiserCall<Progress>(`${path}/progress`).catch((problem: Problem) => {
      if (!problem.isPassing) throw problem;
      return null;
    });
    if (answer && answer.state !== "preparing") return;
    const preparation = answer?.preparation;
    if (preparation) publishing.value = { at: "preparing", done: preparation.cells_prepared, cells: preparation.cells };
    await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS));
  }
}

export function PublishButton() {
  const isBlocked = checks.value.some((check) => check.tone === "bad");
  return (
    <button
      type="button"
      class="btn primary"
      aria-disabled={isBlocked || isPublishing.value}
      aria-describedby={isBlocked ? "blocked" : undefined}
      onClick={() => {
        if (isBlocked) document.getElementById("blocked")?.focus();
        else if (!isPublishing.value) void publish();
      }}
    >
      {say(isPublishing.value ? "publishing" : "publish")}
    </button>
  );
}

export function PublishStep() {
  const list = checks.value;
  const bad = list.filter((check) => check.tone === "bad");
  const now = publishing.value;
  if (now.at === "asking" || now.at === "preparing") return <Preparing now={now} />;
  return (
    <>
      <h1>{say(bad.length ? "publish_not_yet" : "publish_title")}</h1>
      <p id="blocked" tabIndex={-1}>
        {bad.length ? say("publish_blocked", { n: bad.length }) : say("publish_lead")}
      </p>
      {now.at === "failed" && <Failed problem={now.problem} />}
      <Refused />
      <ul class="blk check">
        {bad.map((check) => (
          <Finding key={check.id} check={check} />
        ))}
        <Summary bad={bad} />
        {list
          .filter((check) => check.tone === "warn")
          .map((check) => (
            <Finding key={check.id + JSON.stringify(check.holes)} check={check} />
          ))}
      </ul>
      <Link />
    </>
  );
}

function Preparing({ now }: { now: Extract<Publishing, { at: "asking" | "preparing" }> }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  const share = now.at === "preparing" && now.cells ? now.done / now.cells : 0;
  return (
    <div class="preparing">
      <h1 ref={heading} tabIndex={-1}>
        {say("preparing_title")}
      </h1>
      <p role="status">
        {now.at === "preparing"
          ? say("preparing_cells", { done: words.number(now.done), n: now.cells, share: words.percent(share) })
          : say("preparing_asked")}
      </p>
      <div
        class="meter"
        role="progressbar"
        aria-label={say("preparing_title")}
        aria-valuenow={Math.round(share * 100)}
        aria-valuemin={0}
        aria-valuemax={100}
      >
        <i style={{ width: `${share * 100}%` }} />
      </div>
      <p class="help">{say("preparing_help")}</p>
    </div>
  );
}

function Failed({ problem }: { problem: Problem | null }) {
  return (
    <div class="msg bad" role="alert">
      <Icon name="warn" />
      <div class="grow">
        <b>{say("publish_failed")}</b>
        {problem?.isOffline ? say("publish_offline") : <span lang="en">{problem?.body.detail ?? ""}</span>}
        {problem?.body.request_id && <p class="help">{say("request_id", { id: problem.body.request_id })}</p>}
      </div>
    </div>
  );
}

/** The four things that make a campaign, as they are now; each only when nothing stands in its way. */
function Summary({ bad }: { bad: readonly Check[] }) {
  const isGood = (step: Step) => !bad.some((check) => check.step === step);
  const d = draft.value;
  const value = estimate.value.value;
  const rest = (kind: "first" | "leave_out") => partsOf(d, kind).length;
  const parts = [
    rest("first") && say("parts_first", { n: rest("first") }),
    rest("leave_out") && say("parts_left_out", { n: rest("leave_out") }),
  ];
  const minutes = value?.minutes_for_500_volunteers ?? 0;
  return (
    <>
      {isGood("what") && (
        <Line
          step="what"
          title={mainText(d, d.title)}
          sub={say("summary_what", { n: d.types.length, languages: listed(d.languages.map(languageName)) })}
        />
      )}
      {isGood("imagery") && layer.value && (
        <Line
          step="imagery"
          title={layer.value.name}
          sub={[facts(layer.value), coverageWords(coverageOf(value, layer.value.key))].filter(Boolean).join(". ")}
        />
      )}
      {isGood("area") && value?.cells != null && (
        <Line
          step="area"
          title={say("summary_area", {
            area: measured(value.area_km2!),
            n: value.cells,
            side: words.number(Math.round(value.cell_side_m!)),
          })}
          sub={parts.filter(Boolean).join(", ")}
        />
      )}
      {isGood("looks") && value?.cells != null && (
        <Line
          step="looks"
          title={say("summary_looks", { n: d.looksWanted, all: words.number(value.looks_expected!) })}
          sub={say("summary_work", {
            hours: measured(value.volunteer_hours!),
            minutes: measured(Math.max(1, Math.ceil(minutes))),
          })}
        />
      )}
    </>
  );
}

function Goto({ step, label, name }: { step: Step; label: string; name: string }) {
  return (
    <a
      href={`#${step}`}
      aria-label={say("go_label", { what: label, name })}
      onClick={(event) => {
        event.preventDefault();
        go(step);
      }}
    >
      {label}
    </a>
  );
}

function Line({ step, title, sub }: { step: Step; title: string; sub: string }) {
  return (
    <li>
      <Icon name="check" />
      <div class="grow">
        <b class="num" dir="auto">
          {title}
        </b>
        {sub && <span class="muted num">{sub}</span>}
      </div>
      <Goto step={step} label={say("change")} name={say(`step_${step}`)} />
    </li>
  );
}

function Finding({ check }: { check: Check }) {
  const { language, main, share, n, ...holes } = check.holes;
  const filled = {
    ...holes,
    ...(n === undefined ? {} : { n }),
    ...(language === undefined ? {} : { language: languageName(String(language)), main: languageName(String(main)) }),
    ...(share === undefined ? {} : { share: words.percent(Math.min(0.99, Number(share))) }),
  };
  return (
    <li class={check.tone}>
      <Icon name="warn" />
      <div class="grow">
        <b dir="auto">
          <span class="vh">{say(check.tone === "bad" ? "tone_bad" : "tone_warn")} </span>
          {say(`check_${check.id}`, filled)}
        </b>
        <span class="muted">{say(`check_${check.id}_sub`, filled)}</span>
      </div>
      <Goto
        step={check.step}
        label={say(check.tone === "bad" ? "mend" : check.id.endsWith("instructions") ? "write" : "change")}
        name={say(`step_${check.step}`)}
      />
    </li>
  );
}

function Link() {
  const slug = slugFor(draft.value);
  const address = `${location.host}/s/${slug}`;
  const [isCopied, setCopied] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  const copy = async () => {
    const whole = `${location.origin}/s/${slug}`;
    // Without https the clipboard is closed; the field is chosen, so that Ctrl+C takes it.
    await navigator.clipboard?.writeText(whole).then(
      () => setCopied(true),
      () => field.current?.select(),
    );
    if (!navigator.clipboard) field.current?.select();
  };
  if (!slug) return null;
  return (
    <div class="blk">
      <label class="l" for="p-link">
        {say("link")}
      </label>
      <div class="row">
        <input ref={field} class="field" id="p-link" readonly dir="ltr" value={address} />
        <button type="button" class="btn" onClick={() => void copy()}>
          {say("copy")}
        </button>
      </div>
      <p class="help" role="status">
        {say(isCopied ? "copied" : "link_later")}
      </p>
    </div>
  );
}
