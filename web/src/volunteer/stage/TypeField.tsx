/** Chooses another type for a tag: one that is marked in the same way. */
import { pick } from "../../shared/locale.ts";
import type { DraftTag } from "../draft.ts";
import { say } from "../language.ts";
import { palette } from "../store.ts";
import { setType } from "../tagging.ts";

export function TypeField({ tag, onChosen }: { tag: DraftTag; onChosen?: () => void }) {
  return (
    <select
      class="field grow"
      aria-label={say("tag_kind")}
      value={tag.type}
      onChange={(event) => {
        setType(tag.id, event.currentTarget.value);
        onChosen?.();
      }}
    >
      {palette.value
        .filter((type) => type.geometry === tag.kind)
        .map((type) => {
          const { text, lang } = pick(type.name);
          return (
            <option key={type.key} value={type.key} lang={lang}>
              {text}
            </option>
          );
        })}
    </select>
  );
}
