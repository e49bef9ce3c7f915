/** The five steps, each with what it holds; they can be taken in any order. */
import { Icon } from "../../shared/symbols.tsx";
import { STEPS, type Step } from "./checks.ts";
import { missing } from "./definition.ts";
import { estimate } from "./estimate.ts";
import { measured, say } from "./language.ts";
import { checks, draft, go, layer, step } from "./state.ts";

function note(of: Step): string {
  const d = draft.value;
  if (of === "what") return d.types.length ? say("tag_types_count", { n: d.types.length }) : say("not_set_yet");
  if (of === "imagery") return layer.value?.name ?? d.imagery ?? say("not_chosen_yet");
  if (of === "looks") return say("looks_per_cell", { n: d.looksWanted });
  if (of === "publish") return say("check_everything");
  const km2 = estimate.value.value?.area_km2;
  if (missing(d).includes("area") || estimate.value.refusal) return say("not_set_yet");
  return km2 == null ? say("drawn") : say("km2", { area: measured(km2) });
}

/** A step is done when nothing in it stands in the way of publishing. */
function isDone(of: Step): boolean {
  if (of === "publish") return false;
  return !checks.value.some((check) => check.tone === "bad" && check.step === of);
}

export function Steps() {
  return (
    <nav class="steps" aria-label={say("steps")}>
      <ol>
        {STEPS.map((name, i) => {
          const isHere = step.value === name;
          const done = !isHere && isDone(name);
          return (
            <li key={name}>
              <a
                href={`#${name}`}
                class={done ? "ok" : isHere ? "" : "todo"}
                aria-current={isHere ? "step" : undefined}
                onClick={(event) => {
                  event.preventDefault();
                  go(name);
                }}
              >
                <i>{done ? <Icon name="check" small /> : i + 1}</i>
                <span>
                  {say(`step_${name}`)}
                  <small>{note(name)}</small>
                  {done && <span class="vh">{say("step_done")}</span>}
                </span>
              </a>
            </li>
          );
        })}
      </ol>
    </nav>
  );
}
