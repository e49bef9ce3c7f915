/** The small card of a chosen tag, beside it: kind, note, remove. On a phone the dock has these instead. */
import { Icon } from "../../shared/symbols.tsx";
import { say } from "../language.ts";
import { anchorOf } from "../shape.ts";
import { chosenTag, isBare, tags, typeOf } from "../store.ts";
import { choose, remove, setNote } from "../tagging.ts";
import { TypeField } from "./TypeField.tsx";
import { frame, project } from "./view.ts";

const WIDTH = 264;
const HEIGHT = 156;
const GAP = 44;

export function TagCard() {
  const tag = tags.value.find((candidate) => candidate.id === chosenTag.value);
  if (!tag || isBare.value) return null;
  const { x, y } = project(anchorOf(tag));
  const left = Math.min(Math.max(8, x - WIDTH / 2), frame.value.width - WIDTH - 8);
  // Below hangs the handle, where there is one.
  const hasHandle = matchMedia("(pointer: coarse)").matches;
  const isAbove = y > HEIGHT + GAP && (hasHandle || y + GAP + HEIGHT > frame.value.height);
  const back = () => {
    choose(null);
    document.getElementById(`tag-${tag.id}`)?.focus();
  };
  return (
    <div
      class={`pop desk${isAbove ? " above" : ""}`}
      role="dialog"
      aria-label={say("tag_card", { type: typeOf(tag.type).name.text })}
      style={{
        left: `${left}px`,
        top: `${isAbove ? y - GAP - HEIGHT : y + GAP}px`,
        "--beak": `${Math.min(WIDTH - 18, Math.max(18, x - left))}px`,
      }}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.stopPropagation();
        back();
      }}
    >
      <div class="row">
        <TypeField tag={tag} />
        <button type="button" class="icon-btn" aria-label={say("tag_remove")} onClick={() => remove(tag.id)}>
          <Icon name="bin" />
        </button>
      </div>
      <NoteField id={tag.id} note={tag.note} onEnter={back} />
      <p class="hint">{say(tag.kind === "Point" ? "tag_move_hint" : "tag_shape_hint")}</p>
    </div>
  );
}

export function NoteField({ id, note, onEnter }: { id: string; note: string; onEnter: () => void }) {
  return (
    <input
      class="field note-field"
      maxLength={500}
      placeholder={say("tag_note_hint")}
      aria-label={say("tag_note")}
      value={note}
      onInput={(event) => setNote(id, event.currentTarget.value)}
      onKeyDown={(event) => event.key === "Enter" && onEnter()}
    />
  );
}
