/** Step 4: how thorough the search is, and when. */
import { useEffect, useState } from "preact/hooks";
import { type CellSize, chanceMissed, pixelsOnPhone, resolutionOf, sizes } from "./cells.ts";
import { LOOKS_MOST, mainText, sizedType } from "./draft.ts";
import { cellsAt, estimate, watchCells } from "./estimate.ts";
import { Option, Stepper, TextField } from "./fields.tsx";
import { measured, say, words } from "./language.ts";
import { cellZoom, checks, draft, lat, layer, settings } from "./state.ts";

const CHART_LEAST = 7;
const CHART_PX = 50;

const choices = (): CellSize[] => sizes(layer.value, lat.value, draft.value.cellZoom);

export function LooksStep() {
  useEffect(() => watchCells(() => choices().map((size) => size.zoom)), []);
  return (
    <>
      <h1>{say("looks_title")}</h1>
      <p>{say("looks_lead")}</p>
      <div class="blk">
        <h2 id="h-size">{say("cell_size")}</h2>
        <div class="opts" role="radiogroup" aria-labelledby="h-size">
          {choices().map((size) => (
            <SizeCard key={size.zoom} size={size} />
          ))}
        </div>
      </div>
      <LooksPerCell />
      <Dates />
      <Lease />
    </>
  );
}

function sizeWords({ zoom, sideM, isTooSharp }: CellSize): string {
  const exact = zoom === cellZoom.value && !estimate.value.isOld ? estimate.value.value?.cells : undefined;
  const cells = exact ?? cellsAt.value[zoom];
  const parts = cells === undefined || cells === null ? [] : [say("cells", { n: cells })];
  const sized = sizedType(draft.value);
  if (isTooSharp) parts.push(say("too_sharp"));
  else if (sized) {
    const px = Math.max(1, Math.round(pixelsOnPhone(sized.sizeM!, sideM)));
    const what = mainText(draft.value, sized.sizeLabel).trim() || mainText(draft.value, sized.name).trim();
    parts.push(say("on_phone", { n: px, size: words.number(sized.sizeM!), what }));
  }
  return parts.join(". ");
}

function SizeCard({ size }: { size: CellSize }) {
  return (
    <Option name="size" isChosen={cellZoom.value === size.zoom} onChoose={() => settings({ cellZoom: size.zoom })}>
      <span class="grow">
        <b class="num">{words.number(Math.round(size.sideM))} m</b>
        <span class="muted num">{sizeWords(size)}</span>
      </span>
      {size.isBest && layer.value && (
        <span class="pill sm good">
          {say("best_for", { resolution: measured(resolutionOf(layer.value, lat.value)) })}
        </span>
      )}
    </Option>
  );
}

function LooksPerCell() {
  const { looksWanted } = draft.value;
  const shown = Array.from({ length: Math.max(CHART_LEAST, looksWanted + 1) }, (_, i) => i + 1).slice(0, LOOKS_MOST);
  const chances = words.number(Math.round(chanceMissed(looksWanted) * 1000) / 10);
  return (
    <div class="blk">
      <h2 id="h-looks">{say("looks_per_cell_title")}</h2>
      <div class="row wide">
        <Stepper
          label={say("looks_per_cell_title")}
          shown={words.number(looksWanted)}
          less={say("fewer_looks")}
          more={say("more_looks")}
          value={looksWanted}
          least={1}
          most={LOOKS_MOST}
          onChange={(value) => settings({ looksWanted: value })}
        />
        <span class="muted">{say("different_people")}</span>
      </div>
      <div class="miss num" role="img" aria-label={say("miss_label", { n: looksWanted, chance: chances })}>
        {shown.map((looks) => (
          <span key={looks} class={looks === looksWanted ? "on" : ""}>
            {words.percent(chanceMissed(looks)).replace(/^0/, "<1")}
            <i style={{ height: `${Math.max(2, chanceMissed(looks) * 2 * CHART_PX)}px` }} />
            {words.number(looks)}
          </span>
        ))}
      </div>
      <p class="help">{say("miss_help")}</p>
    </div>
  );
}

/** "2026-11-24T09:30" in the browser's own time, as the field wants it. */
function localTime(iso: string): string {
  const date = new Date(iso);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

const inDays = (days: number): string => {
  const date = new Date(Date.now() + days * 86_400_000);
  date.setMinutes(0, 0, 0);
  return date.toISOString();
};

function Dates() {
  const { startsAt, endsAt } = draft.value;
  const wrong = checks.value.find((check) => check.id === "ends_first" || check.id === "ends_past");
  return (
    <>
      <div class="blk pair">
        <When
          id="s-opens"
          label={say("opens")}
          never={say("opens_now")}
          value={startsAt}
          days={1}
          onChange={(value) => settings({ startsAt: value })}
        />
        <When
          id="s-ends"
          label={say("ends")}
          never={say("ends_done")}
          value={endsAt}
          days={8}
          onChange={(value) => settings({ endsAt: value })}
        />
      </div>
      {wrong && (
        <p class="wrong" role="alert">
          {say(`check_${wrong.id}`)}
        </p>
      )}
    </>
  );
}

interface WhenProps {
  id: string;
  label: string;
  never: string;
  value: string | null;
  days: number;
  onChange: (value: string | null) => void;
}

function When({ id, label, never, value, days, onChange }: WhenProps) {
  return (
    <div class="grow">
      <label class="l" for={id}>
        {label}
      </label>
      <select
        class="field"
        id={id}
        value={value === null ? "" : "at"}
        onChange={(event) => onChange(event.currentTarget.value ? inDays(days) : null)}
      >
        <option value="">{never}</option>
        <option value="at">{say("at_time")}</option>
      </select>
      {value !== null && (
        <input
          class="field near"
          type="datetime-local"
          aria-label={label}
          value={localTime(value)}
          onChange={(event) => {
            const time = Date.parse(event.currentTarget.value);
            if (Number.isFinite(time)) onChange(new Date(time).toISOString());
          }}
        />
      )}
    </div>
  );
}

function Lease() {
  const { leaseSeconds, agreementRadiusM } = draft.value;
  const [lease, setLease] = useState(String(leaseSeconds / 60));
  const [radius, setRadius] = useState(String(agreementRadiusM));
  const isLease = Number(lease) >= 1 && Number(lease) <= 43_200;
  const isRadius = Number(radius) >= 0.1 && Number(radius) <= 10_000;
  return (
    <details class="blk more">
      <summary>{say("more")}</summary>
      <div class="pair">
        <TextField
          id="s-lease"
          label={say("lease")}
          type="number"
          value={lease}
          help={say("lease_help")}
          wrong={isLease ? null : say("lease_wrong")}
          onInput={(text) => {
            setLease(text);
            if (Number(text) >= 1 && Number(text) <= 43_200) settings({ leaseSeconds: Math.round(Number(text) * 60) });
          }}
        />
        <TextField
          id="s-radius"
          label={say("radius")}
          type="number"
          value={radius}
          help={say("radius_help")}
          wrong={isRadius ? null : say("radius_wrong")}
          onInput={(text) => {
            setRadius(text);
            if (Number(text) >= 0.1 && Number(text) <= 10_000) settings({ agreementRadiusM: Number(text) });
          }}
        />
      </div>
    </details>
  );
}
