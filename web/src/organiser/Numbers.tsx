/** The numbers at the top, what people answered, and tags by type. Unknown is "–", never 0. */
import type { Outcome } from "../shared/contract.ts";
import { pick } from "../shared/locale.ts";
import { Badge } from "../shared/symbols.tsx";
import { say, words } from "./language.ts";
import { campaign, progress } from "./state.ts";

const OUTCOMES: [Outcome, string][] = [
  ["tagged", "p6"],
  ["nothing", "p3"],
  ["skipped", "grey"],
  ["bad_imagery", "hatch"],
];

const number = (value: number | undefined) => (value === undefined ? say("unknown") : words.number(value));

function Kpi({ label, value, small, sub }: { label: string; value: string; small?: string | undefined; sub?: string }) {
  return (
    <div class="kpi">
      <dt>{label}</dt>
      <dd>
        {value} {small && <small>{small}</small>}
      </dd>
      {sub && <dd class="muted num">{sub}</dd>}
    </div>
  );
}

export function Kpis() {
  const p = progress.value;
  const share = p ? words.percent(p.coverage) : say("unknown");
  return (
    <dl class="card kpis">
      <div class="kpi">
        <dt>{say("kpi_cells")}</dt>
        <dd>
          {share} {p && <small>{say("kpi_cells_of", { done: p.cells_done, cells: p.cells })}</small>}
        </dd>
        <dd class="muted">
          <div class="meter" role="img" aria-label={say("percent_of_cells", { share })}>
            <i style={{ width: `${(p?.coverage ?? 0) * 100}%` }} />
          </div>
        </dd>
      </div>
      <Kpi
        label={say("kpi_looks")}
        value={number(p?.looks)}
        sub={p ? say("kpi_looks_of", { n: p.looks_expected }) : ""}
      />
      {p?.volunteers_active === undefined ? (
        <Kpi label={say("kpi_volunteers")} value={number(p?.volunteers)} sub={say("kpi_volunteers_all")} />
      ) : (
        <Kpi label={say("kpi_now")} value={number(p.volunteers_active)} sub={say("kpi_people", { n: p.volunteers })} />
      )}
      <Kpi label={say("kpi_tags")} value={number(p?.tags)} sub={say("kpi_tags_sub")} />
      <Kpi label={say("kpi_bad")} value={number(p?.cells_bad_imagery)} sub={say("kpi_bad_sub")} />
    </dl>
  );
}

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
        <div class="rows">
          {OUTCOMES.map(([outcome, look]) => [
            <i key={`${outcome}-s`} class={`sw ${look}`} />,
            <span key={`${outcome}-n`}>{say(`answer_${outcome}`)}</span>,
            <span key={`${outcome}-v`} class="v">
              {number(counts?.[outcome] ?? (counts ? 0 : undefined))}
            </span>,
            <span key={`${outcome}-p`} class="p">
              {share(outcome)}
            </span>,
          ])}
        </div>
      </div>
    </section>
  );
}

export function Types() {
  const counts = progress.value?.tags_by_type ?? {};
  const types = [...(campaign.value?.tag_types ?? [])].sort((a, b) => (counts[b.key] ?? 0) - (counts[a.key] ?? 0));
  const most = Math.max(1, ...Object.values(counts));
  return (
    <section class="card" aria-labelledby="h-types">
      <header>
        <h2 id="h-types" class="grow">
          {say("types_title")}
        </h2>
      </header>
      <div class="body">
        <div class="rows types">
          {types.map((type) => [
            <Badge key={`${type.key}-b`} icon={type.icon} colour={type.colour} size="s" />,
            <span key={`${type.key}-n`}>{pick(type.name).text}</span>,
            <span key={`${type.key}-h`} class="hbar">
              <i style={{ width: `${((counts[type.key] ?? 0) / most) * 100}%` }} />
            </span>,
            <span key={`${type.key}-v`} class="v">
              {number(progress.value ? (counts[type.key] ?? 0) : undefined)}
            </span>,
          ])}
        </div>
      </div>
    </section>
  );
}
