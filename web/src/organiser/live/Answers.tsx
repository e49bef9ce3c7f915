/** What people answered, and their tags by type. */
import type { Outcome } from "../../shared/contract.ts";
import { pick } from "../../shared/locale.ts";
import { Badge } from "../../shared/symbols.tsx";
import { say, words } from "../language.ts";
import { campaign, progress } from "./state.ts";

const OUTCOMES: [Outcome, string][] = [
  ["tagged", "p6"],
  ["nothing", "p3"],
  ["skipped", "grey"],
  ["bad_imagery", "hatch"],
];

const number = (value: number | undefined) => (value === undefined ? say("unknown") : words.number(value));

export function Answers() {
  const counts = progress.value?.looks_by_outcome;
  const all = OUTCOMES.reduce((sum, [outcome]) => sum + (counts?.[outcome] ?? 0), 0);
  const share = (outcome: Outcome) => (all ? words.percentFine((counts?.[outcome] ?? 0) / all) : say("unknown"));
  return (
    <section class="card" aria-labelledby="h-out">
      <header>
        <h2 id="h-out" class="grow">
          {say("answers_title")}
        </h2>
      </header>
      <div class="body">
        {all > 0 && (
          <div class="stack" aria-hidden="true">
            {OUTCOMES.map(
              ([outcome, look]) =>
                (counts?.[outcome] ?? 0) > 0 && (
                  <i key={outcome} class={look} style={{ flex: counts![outcome] / all }} />
                ),
            )}
          </div>
        )}
        <ul class="rows">
          {OUTCOMES.map(([outcome, look]) => (
            <li key={outcome}>
              <i class={`sw ${look}`} />
              <span>{say(`answer_${outcome}`)}</span>
              <span class="v">{number(counts?.[outcome])}</span>
              <span class="p">{share(outcome)}</span>
            </li>
          ))}
        </ul>
      </div>
    </section>
  );
}

export function Types() {
  const counts = progress.value?.tags_by_type;
  const of = (key: string) => counts?.[key] ?? 0;
  const types = [...(campaign.value?.tag_types ?? [])].sort((a, b) => of(b.key) - of(a.key));
  const most = Math.max(1, ...Object.values(counts ?? {}));
  return (
    <section class="card" aria-labelledby="h-types">
      <header>
        <h2 id="h-types" class="grow">
          {say("types_title")}
        </h2>
      </header>
      <div class="body">
        <ul class="rows types">
          {types.map((type) => {
            const name = pick(type.name);
            return (
              <li key={type.key}>
                <Badge icon={type.icon} colour={type.colour} size="s" />
                <span lang={name.lang || undefined}>{name.text}</span>
                <span class="hbar">
                  <i style={{ width: `${(of(type.key) / most) * 100}%` }} />
                </span>
                <span class="v">{number(counts && of(type.key))}</span>
              </li>
            );
          })}
        </ul>
      </div>
    </section>
  );
}
