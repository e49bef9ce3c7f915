/** The list of tag types: add, order by hand or by buttons, open one to change it. */
import { useRef, useState } from "preact/hooks";
import { Badge, Icon } from "../../shared/symbols.tsx";
import { uuid7 } from "../../shared/uuid7.ts";
import { type DraftType, mainText, TYPES_MOST } from "./draft.ts";
import { say, words } from "./language.ts";
import { change, draft } from "./state.ts";
import { TypeEditor } from "./TypeEditor.tsx";

export const typeName = (type: DraftType): string => mainText(draft.value, type.name).trim() || say("type_unnamed");

function summary(type: DraftType): string {
  const kind = say(`geometry_${type.geometry}`);
  return type.sizeM === null ? kind : say("type_about", { kind, size: words.number(type.sizeM) });
}

export function TagTypes({ language }: { language: string }) {
  const { types } = draft.value;
  const [open, setOpen] = useState<string | null>(null);
  const list = useRef<HTMLUListElement>(null);
  const add = () => {
    const id = uuid7();
    change({ what: "add_type", id });
    setOpen(id);
  };
  return (
    <div class="blk">
      <h2 id="h-types">
        {say("types_title")} <span>{say("types_hint")}</span>
      </h2>
      {types.length > 0 && (
        <ul class="types" ref={list} aria-labelledby="h-types">
          {types.map((type, i) => (
            <Row
              key={type.id}
              type={type}
              nth={i}
              language={language}
              isOpen={open === type.id}
              onToggle={() => setOpen(open === type.id ? null : type.id)}
              rows={() => [...(list.current?.children ?? [])]}
            />
          ))}
        </ul>
      )}
      {types.length === 0 && <p class="help">{say("types_none")}</p>}
      <button type="button" class="btn sm add" disabled={types.length >= TYPES_MOST} onClick={add}>
        <Icon name="plus" small />
        {say("add_type")}
      </button>
    </div>
  );
}

interface RowProps {
  type: DraftType;
  nth: number;
  language: string;
  isOpen: boolean;
  onToggle: () => void;
  rows: () => Element[];
}

function Row({ type, nth, language, isOpen, onToggle, rows }: RowProps) {
  const [isDragged, setDragged] = useState(false);
  const name = typeName(type);
  const drag = (event: PointerEvent) => {
    if (!isDragged) return;
    const to = rows().findIndex((row) => {
      const { top, height } = row.getBoundingClientRect();
      return event.clientY < top + height;
    });
    const place = to === -1 ? draft.value.types.length - 1 : to;
    const now = draft.value.types.findIndex((other) => other.id === type.id);
    if (place !== now) change({ what: "move_type", id: type.id, to: place });
  };
  return (
    <li class={isDragged ? "dragged" : ""}>
      <div class="line">
        <span
          class="grip"
          aria-hidden="true"
          onPointerDown={(event) => {
            event.preventDefault();
            event.currentTarget.setPointerCapture(event.pointerId);
            setDragged(true);
          }}
          onPointerMove={drag}
          onPointerUp={() => setDragged(false)}
          onPointerCancel={() => setDragged(false)}
        >
          <Icon name="grip" small />
        </span>
        <Badge icon={type.icon} colour={type.colour} />
        <span class="grow name" dir="auto">
          {name}
        </span>
        <span class="muted" dir="auto">
          {summary(type)}
        </span>
        <button
          type="button"
          class="icon-btn sm"
          aria-label={say("change_type", { name })}
          aria-expanded={isOpen}
          aria-controls={`type-${type.id}`}
          onClick={onToggle}
        >
          <Icon name={isOpen ? "up" : "dots"} small />
        </button>
      </div>
      {isOpen && <TypeEditor type={type} nth={nth} language={language} />}
    </li>
  );
}
