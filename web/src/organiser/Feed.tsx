/** The newest tags, or the form for the key that opens them. */
import { useState } from "preact/hooks";
import type { LonLat, TagFeature } from "../shared/contract.ts";
import { pick } from "../shared/locale.ts";
import { Badge } from "../shared/symbols.tsx";
import { Thumb } from "../shared/Thumb.tsx";
import { ago, say } from "./language.ts";
import { campaign, clock, isKeyWrong, key, signIn, tags } from "./state.ts";

const SHOWN = 12;
/** From the end of the id: its beginning is a time, which newcomers of one hour share. */
const WHO_SIGNS = 4;

function Entry({ tag }: { tag: TagFeature }) {
  const { tag_type, note, volunteer_id, received_at } = tag.properties;
  const type = campaign.value?.tag_types.find((candidate) => candidate.key === tag_type);
  const name = pick(type?.name).text || tag_type;
  return (
    <li>
      <span class="shot">
        {tag.geometry.type === "Point" && (
          <Thumb at={tag.geometry.coordinates as LonLat} imagery={campaign.value!.imagery} label={name} />
        )}
        {type && <Badge icon={type.icon} colour={type.colour} size="s" />}
      </span>
      <div class="grow">
        <b>{name}</b>
        {note && (
          <div class="note" dir="auto">
            {say("quoted", { note })}
          </div>
        )}
        <div class="who num">
          {say("feed_who", { when: ago(received_at, clock.value), who: volunteer_id.slice(-WHO_SIGNS) })}
        </div>
      </div>
    </li>
  );
}

function KeyForm() {
  const [value, setValue] = useState("");
  const submit = (event: Event) => {
    event.preventDefault();
    signIn(value);
  };
  return (
    <div class="blank">
      <form onSubmit={submit}>
        <b>{say("feed_locked_title")}</b>
        <p>{say("feed_locked")}</p>
        <label for="key">{say("key_label")}</label>
        <input
          class="field"
          id="key"
          type="password"
          autocomplete="off"
          spellcheck={false}
          value={value}
          aria-describedby="key-note"
          aria-invalid={isKeyWrong.value}
          onInput={(event) => setValue(event.currentTarget.value)}
        />
        <p id="key-note" class={isKeyWrong.value ? "wrong" : "muted"} role="status">
          {say(isKeyWrong.value ? "key_wrong" : "key_kept")}
        </p>
        <button class="btn primary" type="submit">
          {say("key_show")}
        </button>
      </form>
    </div>
  );
}

export function Feed() {
  const list = tags.value;
  return (
    <section class="card feed" aria-labelledby="h-feed">
      <header>
        <h2 id="h-feed" class="grow">
          {say("feed_title")}
        </h2>
        {key.value && <span class="muted num">{say("plain_number", { n: list.length })}</span>}
      </header>
      {!key.value && <KeyForm />}
      {key.value && list.length === 0 && (
        <div class="blank">
          <div>
            <b>{say("feed_empty_title")}</b>
            {say("feed_empty")}
          </div>
        </div>
      )}
      {list.length > 0 && (
        <ul>
          {list.slice(0, SHOWN).map((tag) => (
            <Entry key={tag.id} tag={tag} />
          ))}
        </ul>
      )}
      {list.length > SHOWN && <p class="muted rest">{say("feed_more", { n: list.length - SHOWN })}</p>}
    </section>
  );
}
