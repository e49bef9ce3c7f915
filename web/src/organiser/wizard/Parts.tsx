/** The parts of the area: what is searched, what is left out, what comes first. */
import { useState } from "preact/hooks";
import { Icon } from "../../shared/symbols.tsx";
import { type Part, WEIGHT_MOST } from "./draft.ts";
import { estimate } from "./estimate.ts";
import { Stepper, TextField } from "./fields.tsx";
import { areaKm2, boxOf } from "./geometry.ts";
import { measured, say, words } from "./language.ts";
import { selected, showBox } from "./mapview.ts";
import { change, draft } from "./state.ts";

/** "Airfield", or what it is when it has no name. */
export function partName(part: Part, parts: readonly Part[]): string {
  if (part.name.trim()) return part.name.trim();
  const same = parts.filter((other) => other.kind === part.kind && !other.name.trim());
  const base = say(`part_${part.kind}`);
  return same.length < 2 ? base : say("part_nth", { what: base, n: String(same.indexOf(part) + 1) });
}

/** The server's number where it is of exactly this part; it dissolves overlaps and cuts at the outline. */
function km2(part: Part, parts: readonly Part[]): number {
  const { value, isOld } = estimate.value;
  const same = parts.filter((other) => other.kind === part.kind);
  if (value && !isOld) {
    const nth = same.indexOf(part);
    if (part.kind === "first" && value.priority_parts?.[nth]) return value.priority_parts[nth].area_km2;
    if (part.kind === "leave_out" && same.length === 1 && value.leave_out_km2 != null) return value.leave_out_km2;
    const isAlone = part.kind === "area" && same.length === 1 && !parts.some((other) => other.kind === "leave_out");
    if (isAlone && value.area_km2 !== null) return value.area_km2;
  }
  return areaKm2(part.geometry);
}

export function Parts() {
  const { parts } = draft.value;
  const ordered = (["area", "leave_out", "first"] as const).flatMap((kind) =>
    parts.filter((part) => part.kind === kind),
  );
  if (!ordered.length) return null;
  return (
    <div class="blk">
      <h2 id="h-parts">{say("parts")}</h2>
      <ul class="parts" aria-labelledby="h-parts">
        {ordered.map((part) => (
          <Row key={part.id} part={part} parts={parts} />
        ))}
      </ul>
      {parts.some((part) => part.kind === "first") && <p class="help">{say("weight_help")}</p>}
    </div>
  );
}

function Row({ part, parts }: { part: Part; parts: readonly Part[] }) {
  const isOpen = selected.value === part.id;
  const name = partName(part, parts);
  const size = { area: measured(km2(part, parts)) };
  const sizes = { area: say("km2", size), leave_out: say("left_out", size), first: say("searched_first", size) };
  return (
    <li>
      <div class="line">
        <span class={`sw ${part.kind}`} />
        <div class="grow">
          <b dir="auto">{name}</b>
          <span class="muted num">{sizes[part.kind]}</span>
        </div>
        {part.kind === "first" && <Weight part={part} name={name} />}
        <button
          type="button"
          class="icon-btn sm"
          aria-label={say("change_part", { name })}
          aria-expanded={isOpen}
          onClick={() => (selected.value = isOpen ? null : part.id)}
        >
          <Icon name={isOpen ? "up" : "dots"} small />
        </button>
      </div>
      {isOpen && <Editor part={part} name={name} />}
    </li>
  );
}

function Weight({ part, name }: { part: Part; name: string }) {
  return (
    <Stepper
      label={say("weight_of", { name })}
      shown={`× ${words.number(part.weight)}`}
      less={say("less_weight")}
      more={say("more_weight")}
      value={part.weight}
      least={1}
      most={WEIGHT_MOST}
      onChange={(weight) => change({ what: "edit_part", id: part.id, to: { weight } })}
    />
  );
}

function Editor({ part, name }: { part: Part; name: string }) {
  const [isSure, setSure] = useState(false);
  const box = boxOf([part.geometry]);
  return (
    <div class="editor">
      {part.kind !== "area" && (
        <TextField
          id={`p-${part.id}`}
          label={say("part_name")}
          hint={say("optional")}
          most={100}
          value={part.name}
          onInput={(to) => change({ what: "edit_part", id: part.id, to: { name: to } })}
        />
      )}
      <p class="help">{say("edit_help")}</p>
      <div class="row tools-row">
        <button type="button" class="btn sm" onClick={() => box && showBox(box)}>
          <Icon name="fit" small />
          {say("show_on_map")}
        </button>
        <span class="grow" />
        <button
          type="button"
          class={`btn sm danger${isSure ? " primary" : ""}`}
          onBlur={() => setSure(false)}
          onClick={() => (isSure ? change({ what: "remove_part", id: part.id }) : setSure(true))}
        >
          <Icon name="bin" small />
          {isSure ? say("remove_part_sure", { name }) : say("remove")}
        </button>
      </div>
    </div>
  );
}
