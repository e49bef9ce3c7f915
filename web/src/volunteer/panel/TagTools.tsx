/** The dock of a phone while a tag is chosen: everything under the thumb, in the dock's usual height. */
import { useState } from "preact/hooks";
import { Badge, Icon } from "../../shared/symbols.tsx";
import type { DraftTag } from "../draft.ts";
import { say } from "../language.ts";
import { NoteField } from "../stage/TagCard.tsx";
import { TypeField } from "../stage/TypeField.tsx";
import { typeOf } from "../store.ts";
import { choose, remove } from "../tagging.ts";
import { Said } from "../text.tsx";

type Mode = "tools" | "note" | "change";

export function TagTools({ tag }: { tag: DraftTag }) {
  const [mode, setMode] = useState<Mode>("tools");
  const { icon, colour, name } = typeOf(tag.type);
  return (
    <div class="seltools">
      <div class="row head">
        <Badge icon={icon} colour={colour} />
        <b class="grow">
          <Said of={name} />
        </b>
        <span class="hint">{say(tag.kind === "Point" ? "tag_handle_hint" : "tag_points_hint")}</span>
      </div>
      {mode === "tools" && (
        <div class="row tools">
          <button type="button" class="btn" onClick={() => setMode("note")}>
            <Icon name="note" small />
            {say("tag_note")}
          </button>
          <button type="button" class="btn" onClick={() => setMode("change")}>
            {say("change")}
          </button>
          <button type="button" class="btn danger" onClick={() => remove(tag.id)}>
            <Icon name="bin" small />
            {say("remove")}
          </button>
        </div>
      )}
      {mode === "note" && <NoteField id={tag.id} note={tag.note} onEnter={() => setMode("tools")} />}
      {mode === "change" && <TypeField tag={tag} onChosen={() => setMode("tools")} />}
      <button type="button" class="btn primary go" onClick={() => choose(null)}>
        {say("keep_it_here")}
      </button>
    </div>
  );
}
