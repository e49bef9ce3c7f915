/** The five numbers at the top. Unknown is "–", never 0. */
import type { ComponentChildren } from "preact";
import type { Progress } from "../../shared/contract.ts";
import { cellsToSearch } from "../../shared/progress.ts";
import { say, words } from "../language.ts";
import { type Outlook, outlook, wholeShare } from "./ages.ts";
import { extent, type Point, runs, series } from "./rates.ts";
import { progress } from "./state.ts";
import { minutes } from "./Time.tsx";

const MINUTE_MS = 60_000;
const SPARK = { width: 118, height: 40 };

const number = (value: number | null | undefined) => (value == null ? say("unknown") : words.number(value));

interface KpiProps {
  label: string;
  value: string;
  note: string | false | null;
  children?: ComponentChildren;
}

function Kpi({ label, value, note, children }: KpiProps) {
  return (
    <div class="kpi">
      <dt>{label}</dt>
      <dd>
        <bdi>{value}</bdi>
      </dd>
      <dd class="muted num">
        <bdi>{note}</bdi>
        {children}
      </dd>
    </div>
  );
}

/** The last hour in one line; only beside its number, so it needs no axis. */
function Spark({ points }: { points: readonly Point[] }) {
  const reach = extent(points);
  if (!reach || points.length < 2) return null;
  const x = (at: number) => 1 + ((at - points[0]!.at) / (points.at(-1)!.at - points[0]!.at)) * (SPARK.width - 4);
  const y = (value: number) => 37 - (value / Math.max(1, reach.high)) * 34;
  const paths = runs(points).map((run) =>
    run.map((point, i) => `${i ? "L" : "M"}${x(point.at).toFixed(1)} ${y(point.perMinute!).toFixed(1)}`).join(""),
  );
  const last = runs(points).at(-1)!.at(-1)!;
  return (
    <svg class="spark" viewBox={`0 0 ${SPARK.width} ${SPARK.height}`} aria-hidden="true">
      <path d={paths.join("")} />
      <circle cx={x(last.at)} cy={y(last.perMinute!)} r="3" />
    </svg>
  );
}

const OUTLOOK_NOTES = { soon: "eta_pace", early: "eta_early", still: "eta_still" } as const;

function outlookText(found: Outlook | null): string {
  if (found?.kind === "soon") return minutes(found.seconds);
  return say(found?.kind === "done" ? "eta_done" : "unknown");
}

function etaNote(p: Progress, found: Outlook) {
  if (found.kind === "done") return "eta_done_note";
  if (p.looks === 0) return "eta_nobody";
  return p.state === "paused" ? "eta_paused" : OUTLOOK_NOTES[found.kind];
}

function Eta({ p }: { p: Progress | null }) {
  const found = p && p.state !== "closed" ? outlook(p) : null;
  const isGoing = p?.state === "open" || found?.kind === "done";
  return (
    <Kpi
      label={say("kpi_eta")}
      value={isGoing ? outlookText(found) : say("unknown")}
      note={p && found && say(etaNote(p, found))}
    />
  );
}

/** Null until there was a whole minute of looks. */
function pace(p: Progress): number | null {
  if (p.looks_per_minute === null || p.first_look_at === null) return null;
  const seen = Date.parse(p.as_of) - Date.parse(p.first_look_at);
  return seen < MINUTE_MS ? null : Math.round(p.looks_per_minute);
}

export function Kpis() {
  const p = progress.value;
  const share = p ? words.percent(wholeShare(p.coverage)) : say("unknown");
  const points = p ? series(p.rates, p.as_of, p.first_look_at).points : [];
  const rate = p && pace(p);
  return (
    <dl class="card kpis">
      <div class="kpi">
        <dt>{say("kpi_cells")}</dt>
        <dd>
          {share}{" "}
          {p && (
            <small>
              <bdi>{say("kpi_cells_of", { done: p.cells_done, cells: cellsToSearch(p) })}</bdi>
            </small>
          )}
        </dd>
        <dd class="muted">
          <div class="meter" role="img" aria-label={say("percent_of_cells", { share })}>
            <i style={{ width: `${(p?.coverage ?? 0) * 100}%` }} />
          </div>
          {(p?.cells_closed ?? 0) > 0 && <bdi class="num">{say("kpi_closed", { n: p!.cells_closed })}</bdi>}
        </dd>
      </div>
      <Kpi label={say("kpi_looks")} value={number(p?.looks)} note={p && say("kpi_looks_of", { n: p.looks_expected })} />
      <Kpi
        label={say("kpi_now")}
        value={number(p?.volunteers_active)}
        note={p && (p.volunteers === 0 ? say("kpi_nobody") : say("kpi_people", { n: p.volunteers }))}
      />
      <Kpi
        label={say("kpi_rate")}
        value={number(rate)}
        note={rate === null ? p?.looks === 0 && p.state !== "closed" && say("kpi_rate_none") : say("kpi_rate_note")}
      >
        <Spark points={points} />
      </Kpi>
      <Eta p={p} />
    </dl>
  );
}
