/** An area without a pointer: corners typed or pasted, GeoJSON pasted, or a box by its four sides. */
import { signal } from "@preact/signals";
import { useState } from "preact/hooks";
import type { BBox } from "../../shared/contract.ts";
import type { PartKind } from "./draft.ts";
import { TextField } from "./fields.tsx";
import { polygonOfBox, typedRing } from "./geometry.ts";
import { importing, kind, takeGeoJson, takeText } from "./importing.ts";
import { say } from "./language.ts";
import { tool } from "./mapview.ts";

const KINDS: readonly PartKind[] = ["area", "leave_out", "first"];
const SIDES = ["west", "south", "east", "north"] as const;

const text = signal("");
const sides = signal<Record<(typeof SIDES)[number], string>>({ west: "", south: "", east: "", north: "" });

function boxWritten(): BBox | null {
  const box = SIDES.map((side) => Number.parseFloat(sides.value[side].replace(",", "."))) as BBox;
  const [west, south, east, north] = box;
  const isGood = box.every(Number.isFinite) && south < north && Math.abs(south) <= 90 && Math.abs(north) <= 90;
  return isGood && west !== east && Math.abs(west) <= 360 && Math.abs(east) <= 360 ? box : null;
}

export function Typed() {
  return (
    <details class="blk more">
      <summary>{say("typed_title")}</summary>
      <div class="blk near">
        <label class="l" for="a-kind">
          {say("typed_as")}
        </label>
        <select
          class="field"
          id="a-kind"
          value={kind.value}
          onChange={(event) => {
            kind.value = event.currentTarget.value as PartKind;
            if (tool.value) tool.value = kind.value;
          }}
        >
          {KINDS.map((each) => (
            <option key={each} value={each}>
              {say(`part_${each}`)}
            </option>
          ))}
        </select>
      </div>
      <Corners />
      <Box />
    </details>
  );
}

function Corners() {
  const [isWrong, setWrong] = useState(false);
  const take = async () => {
    const written = text.value.trim();
    const ring = typedRing(written);
    const isGeoJson = written.startsWith("{");
    setWrong(!isGeoJson && !ring);
    if (isGeoJson) await takeText(say("pasted_text"), written);
    else if (ring) await takeGeoJson(say("typed_corners"), { type: "Polygon", coordinates: [ring] });
    else return;
    // What was refused stays, to be mended.
    if (importing.value.at === "none") text.value = "";
  };
  return (
    <>
      <TextField
        id="a-corners"
        label={say("corners_label")}
        rows={4}
        value={text.value}
        help={say("corners_help")}
        wrong={isWrong ? say("corners_wrong") : null}
        onInput={(value) => (text.value = value)}
      />
      <button type="button" class="btn sm add" disabled={!text.value.trim()} onClick={() => void take()}>
        {say("corners_take")}
      </button>
    </>
  );
}

function Box() {
  const [isWrong, setWrong] = useState(false);
  const take = async () => {
    const box = boxWritten();
    setWrong(!box);
    if (box) await takeGeoJson(say("typed_box"), polygonOfBox(box));
  };
  return (
    <fieldset class="blk">
      <legend class="l">
        {say("box_label")} <span>{say("box_hint")}</span>
      </legend>
      <div class="sides">
        {SIDES.map((side) => (
          <TextField
            key={side}
            id={`a-${side}`}
            label={say(`side_${side}`)}
            value={sides.value[side]}
            onInput={(value) => (sides.value = { ...sides.value, [side]: value })}
          />
        ))}
      </div>
      {isWrong && (
        <p class="wrong" role="alert">
          {say("box_wrong")}
        </p>
      )}
      <button type="button" class="btn sm add" onClick={() => void take()}>
        {say("box_take")}
      </button>
    </fieldset>
  );
}
