/** Looks per minute over the last hour, the last day, or all the time: a line, or the same as a table. */
import { useState } from "preact/hooks";
import type { Period } from "../../shared/contract.ts";
import { say, words } from "../language.ts";
import { Plot } from "./Plot.tsx";
import { extent, type Series, series } from "./rates.ts";
import { late, longProgress, period, progress } from "./state.ts";

const PERIODS = ["hour", "day", "all"] as const;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

export type Clock = (at: number) => string;

/** Times as this period needs them, by the reader's clock. */
export function clockOf(span: number): Clock {
  const options: Intl.DateTimeFormatOptions =
    span > DAY_MS * 2
      ? { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" }
      : { hour: "2-digit", minute: "2-digit" };
  const format = new Intl.DateTimeFormat(words.locale, options);
  return (at) => format.format(at);
}

/** A rate without false precision: whole numbers, but for the few looks of a quiet campaign. */
export const rateText = (value: number) => words.number(value < 10 ? value : Math.round(value));

function summary(shown: Series, of: Period, looks: number): string {
  const reach = extent(shown.points);
  if (!reach && looks > 0 && of !== "hour") return say("rate_early", { n: shown.stepMs / MINUTE_MS });
  if (!reach) return say(`rate_none_${of}`);
  const holes = { low: rateText(reach.low), high: rateText(reach.high), last: rateText(reach.last) };
  return say(`rate_summary_${of}`, holes);
}

function RateTable({ shown, label }: { shown: Series; label: string }) {
  const clock = clockOf(shown.to - shown.from);
  const known = shown.points.filter((point) => point.perMinute !== null).reverse();
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={label}>
      <table class="tbl">
        <thead>
          <tr>
            <th>{say("rate_time")}</th>
            <th class="r">{say("kpi_rate")}</th>
          </tr>
        </thead>
        <tbody>
          {known.map((point) => (
            <tr key={point.at}>
              <td class="num">{clock(point.at)}</td>
              <td class="r">{rateText(point.perMinute!)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function Rate() {
  const [isTable, setTable] = useState(false);
  const p = period.value === "hour" ? progress.value : longProgress.value;
  const shown = p && series(p.rates, p.as_of, p.first_look_at);
  const text = shown ? summary(shown, period.value, p.looks) : "";
  const isLive = p?.state !== "closed" && late.value === null;
  const hasPoints = shown && extent(shown.points) !== null;
  return (
    <section class="card rate" aria-labelledby="h-rate">
      <header>
        <h2 id="h-rate" class="grow">
          {say("kpi_rate")}
        </h2>
        <div class="seg" role="group" aria-label={say("rate_period")}>
          {PERIODS.map((one) => (
            <button key={one} type="button" aria-pressed={period.value === one} onClick={() => (period.value = one)}>
              {say(`rate_${one}`)}
            </button>
          ))}
        </div>
      </header>
      <div class="chart" aria-busy={!shown}>
        {shown && !hasPoints && <p class="none muted">{text}</p>}
        {hasPoints &&
          (isTable ? <RateTable shown={shown} label={text} /> : <Plot shown={shown} summary={text} isLive={isLive} />)}
      </div>
      {hasPoints && (
        <div class="below">
          <button type="button" class="btn sm ghost" aria-pressed={isTable} onClick={() => setTable(!isTable)}>
            {say(isTable ? "rate_as_chart" : "rate_as_table")}
          </button>
        </div>
      )}
    </section>
  );
}
