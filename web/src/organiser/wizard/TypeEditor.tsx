/** One tag type: its name and look, what it is and how large, places where one is seen. */
import { useLayoutEffect, useState } from "preact/hooks";
import type { GeometryKind, LonLat } from "../../shared/contract.ts";
import { Badge, Icon } from "../../shared/symbols.tsx";
import { tooNear } from "./colours.ts";
import { COLOURS, type DraftType, ICONS, withText } from "./draft.ts";
import { Message, TextField } from "./fields.tsx";
import { say } from "./language.ts";
import { change, draft } from "./state.ts";
import { typeName } from "./TagTypes.tsx";

const KINDS: readonly GeometryKind[] = ["Point", "LineString", "Polygon"];
const EXAMPLES_MOST = 4;

export function TypeEditor({ type, nth, language }: { type: DraftType; nth: number; language: string }) {
  const edit = (to: Partial<DraftType>) => change({ what: "edit_type", id: type.id, to });
  const id = idOf(type);
  // Before the next key is pressed: who adds a type goes on typing.
  useLayoutEffect(() => {
    if (!type.name[language]) document.getElementById(id("name"))?.focus();
  }, []);
  return (
    <div class="editor" id={`type-${type.id}`}>
      <TextField
        id={id("name")}
        label={say("type_name")}
        lang={language}
        value={type.name[language] ?? ""}
        most={60}
        onInput={(text) => edit({ name: withText(type.name, language, text) })}
      />
      <TextField
        id={id("description")}
        label={say("type_description")}
        hint={say("optional")}
        lang={language}
        rows={2}
        most={500}
        value={type.description[language] ?? ""}
        onInput={(text) => edit({ description: withText(type.description, language, text) })}
      />
      <Look type={type} onEdit={edit} />
      <Size type={type} language={language} onEdit={edit} />
      <div class="blk near">
        <label class="l" for={id("kind")}>
          {say("type_geometry")}
        </label>
        <select
          class="field"
          id={id("kind")}
          value={type.geometry}
          onChange={(event) => edit({ geometry: event.currentTarget.value as GeometryKind })}
        >
          {KINDS.map((kind) => (
            <option key={kind} value={kind}>
              {say(`geometry_${kind}`)}
            </option>
          ))}
        </select>
      </div>
      <Examples type={type} id={id("examples")} onEdit={edit} />
      <Order type={type} nth={nth} />
    </div>
  );
}

type Edit = (to: Partial<DraftType>) => void;

const idOf = (type: DraftType) => (part: string) => `t-${type.id}-${part}`;

function Size({ type, language, onEdit }: { type: DraftType; language: string; onEdit: Edit }) {
  const id = idOf(type);
  return (
    <div class="pair">
      <TextField
        id={id("size")}
        label={say("type_size")}
        hint={say("optional")}
        type="number"
        value={type.sizeM === null ? "" : String(type.sizeM)}
        onInput={(text) => {
          const size = Number.parseFloat(text);
          onEdit({ sizeM: size > 0 && size <= 100_000 ? size : null });
        }}
      />
      <TextField
        id={id("label")}
        label={say("type_size_label")}
        hint={say("type_size_example")}
        lang={language}
        most={60}
        value={type.sizeLabel[language] ?? ""}
        onInput={(text) => onEdit({ sizeLabel: withText(type.sizeLabel, language, text) })}
      />
    </div>
  );
}

/** The way without dragging. */
function Order({ type, nth }: { type: DraftType; nth: number }) {
  const last = draft.value.types.length - 1;
  const move = (to: number) => change({ what: "move_type", id: type.id, to });
  return (
    <div class="row tools-row">
      <button type="button" class="btn sm" disabled={nth === 0} onClick={() => move(nth - 1)}>
        <Icon name="up" small />
        {say("move_up")}
      </button>
      <button type="button" class="btn sm" disabled={nth === last} onClick={() => move(nth + 1)}>
        <Icon name="down" small />
        {say("move_down")}
      </button>
      <span class="grow" />
      <button type="button" class="btn sm danger" onClick={() => change({ what: "remove_type", id: type.id })}>
        <Icon name="bin" small />
        {say("remove")}
      </button>
    </div>
  );
}

function Look({ type, onEdit }: { type: DraftType; onEdit: Edit }) {
  const others = draft.value.types.filter((other) => other.id !== type.id);
  const near = tooNear(type.colour, others);
  const same = others.find((other) => other.icon === type.icon);
  const isOwn = !COLOURS.includes(type.colour.toUpperCase());
  return (
    <>
      <fieldset class="blk near looks">
        <legend class="l">{say("type_icon")}</legend>
        {ICONS.map((icon) => (
          <label key={icon} class="swatch">
            <input
              class="vh"
              type="radio"
              name={`icon-${type.id}`}
              aria-label={say(`icon_${icon}`)}
              checked={type.icon === icon}
              onChange={() => onEdit({ icon })}
            />
            <Badge icon={icon} colour={type.colour} />
          </label>
        ))}
      </fieldset>
      <fieldset class="blk near looks">
        <legend class="l">{say("type_colour")}</legend>
        {COLOURS.map((colour, i) => (
          <label key={colour} class="swatch">
            <input
              class="vh"
              type="radio"
              name={`colour-${type.id}`}
              aria-label={say(`colour_${i}` as "colour_0")}
              checked={type.colour.toUpperCase() === colour}
              onChange={() => onEdit({ colour })}
            />
            <Badge icon={type.icon} colour={colour} />
          </label>
        ))}
        <label class={`swatch own${isOwn ? " chosen" : ""}`}>
          <span>{say("own_colour")}</span>
          <input
            type="color"
            value={type.colour}
            onInput={(event) => onEdit({ colour: event.currentTarget.value.toUpperCase() })}
          />
        </label>
      </fieldset>
      {near && <Message tone="warn">{say("colour_near", { name: typeName(near) })}</Message>}
      {!near && same && <Message tone="warn">{say("icon_same", { name: typeName(same) })}</Message>}
    </>
  );
}

/** Latitude first, as maps and phones show it. */
const written = (examples: readonly LonLat[]): string => examples.map(([lon, lat]) => `${lat}, ${lon}`).join("\n");

function read(text: string): LonLat[] | null {
  const lines = text.split("\n").filter((line) => line.trim());
  const places = lines.map((line) => line.match(/-?\d+(?:\.\d+)?/g)?.map(Number) ?? []);
  const isGood = places.every(([lat, lon, ...rest]) => lon !== undefined && !rest.length && Math.abs(lat!) <= 90);
  return isGood && places.length <= EXAMPLES_MOST ? places.map(([lat, lon]) => [lon!, lat!]) : null;
}

function Examples({ type, id, onEdit }: { type: DraftType; id: string; onEdit: Edit }) {
  const [text, setText] = useState(written(type.examples));
  const isWrong = read(text) === null;
  return (
    <TextField
      id={id}
      label={say("type_examples")}
      hint={say("type_examples_hint")}
      rows={2}
      value={text}
      wrong={isWrong ? say("type_examples_wrong") : null}
      onInput={(next) => {
        setText(next);
        const examples = read(next);
        if (examples) onEdit({ examples });
      }}
    />
  );
}
