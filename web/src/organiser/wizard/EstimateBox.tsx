/** What the campaign would take, in view from the second step on. */
import { estimate } from "./estimate.ts";
import { measured, say, words } from "./language.ts";
import { draft } from "./state.ts";

export function EstimateBox() {
  const { value, isOld, refusal, failure } = estimate.value;
  if (!value || value.cells === null || refusal)
    return (
      <dl class="est" aria-live="polite">
        <div>
          <dt>{say("est_area")}</dt>
          <dd>{say(isOld && !refusal ? "est_counting" : refusal ? "est_refused" : "est_none")}</dd>
        </div>
      </dl>
    );
  const minutes = value.minutes_for_500_volunteers ?? 0;
  return (
    <dl class={`est${isOld ? " old" : ""}`} aria-live="polite" aria-busy={isOld}>
      <div>
        <dt>{say("est_area")}</dt>
        <dd>
          {measured(value.area_km2!)} <small>{say("km2_unit")}</small>
        </dd>
      </div>
      <div>
        <dt>{say("est_cells", { side: words.number(Math.round(value.cell_side_m!)) })}</dt>
        <dd>{words.number(value.cells)}</dd>
      </div>
      <div>
        <dt>{say("est_looks", { n: draft.value.looksWanted })}</dt>
        <dd>{words.number(value.looks_expected!)}</dd>
      </div>
      <div>
        <dt>{say("est_work")}</dt>
        <dd>
          {say("est_hours", { hours: measured(value.volunteer_hours!) })}{" "}
          <small>
            {minutes < 90
              ? say("est_minutes", { minutes: measured(Math.max(1, Math.ceil(minutes))) })
              : say("est_long", { hours: measured(minutes / 60) })}
          </small>
        </dd>
      </div>
      {failure && <div class="late">{say(failure.isOffline ? "est_offline" : "est_trouble")}</div>}
    </dl>
  );
}
