/** The tags of this square as a list: the same as on the image, without the image. */
import { Badge, Icon } from "../../shared/symbols.tsx";
import { say } from "../language.ts";
import { anchorOf } from "../shape.ts";
import { reveal } from "../stage/camera.ts";
import { isInSight, project } from "../stage/view.ts";
import { chosenTag, tags, typeOf } from "../store.ts";
import { choose, remove } from "../tagging.ts";
import { Said } from "../text.tsx";

function edit(id: string): void {
  const tag = tags.value.find((candidate) => candidate.id === id);
  if (tag && !isInSight(project(anchorOf(tag)))) reveal(anchorOf(tag));
  choose(id);
}

export function TagList() {
  const list = tags.value;
  return (
    <div class="sec here">
      <h2>
        {say("here_title")}
        {list.length > 0 && <span class="num">{say("tags_count", { n: list.length })}</span>}
      </h2>
      {list.length === 0 && <p class="empty">{say("here_empty")}</p>}
      <ul class="list">
        {list.map(({ id, type, note }, i) => {
          const { icon, colour, name } = typeOf(type);
          return (
            <li key={id} class={id === chosenTag.value ? "sel" : ""}>
              <button
                type="button"
                class="plain grow"
                aria-label={say("tag_edit_nth", { i: i + 1, type: name.text })}
                onClick={() => edit(id)}
              >
                <Badge icon={icon} colour={colour} size="s" />
                <span class="name">
                  <Said of={name} />
                  {note && <span class="note"> {say("quoted", { note })}</span>}
                </span>
              </button>
              <button
                type="button"
                class="icon-btn sm"
                aria-label={say("tag_remove_nth", { i: i + 1, type: name.text })}
                onClick={() => remove(id)}
              >
                <Icon name="close" small />
              </button>
            </li>
          );
        })}
      </ul>
    </div>
  );
}
