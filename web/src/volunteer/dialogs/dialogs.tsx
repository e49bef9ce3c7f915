/** The dialogs that people open themselves, and the sheet of the first visit. */
import { pick } from "../../shared/locale.ts";
import { Icon } from "../../shared/symbols.tsx";
import { badImage, skip } from "../actions.ts";
import { say, words } from "../language.ts";
import { markSeen, setShortcuts } from "../remember.ts";
import { campaign, dialog, hasShortcuts, imagery, tags, title } from "../store.ts";
import { Rich, Said } from "../text.tsx";
import { Card } from "./Card.tsx";
import { Examples } from "./Examples.tsx";

export const close = () => (dialog.value = null);

export function First() {
  const start = () => {
    markSeen(campaign.value!.id);
    close();
  };
  const readMore = () => {
    markSeen(campaign.value!.id);
    dialog.value = "help";
  };
  return (
    <Card role="dialog" wide isFirst title={<Said of={title.value} />}>
      <p>
        <Said of={pick(campaign.value?.summary)} /> {say("first_text")}
      </p>
      <Examples />
      <p>
        <Rich text={say("first_empty")} />
      </p>
      <div class="btns">
        <button type="button" class="btn primary" onClick={start}>
          {say("first_start")}
        </button>
        <button type="button" class="btn ghost" onClick={readMore}>
          {say("first_instructions")}
        </button>
      </div>
      <p class="fine">{say("first_fine")}</p>
    </Card>
  );
}

export function Help() {
  const instructions = pick(campaign.value?.instructions_html);
  return (
    <Card role="dialog" wide middle title={say("help_title")} onClose={close}>
      <p>
        <Said of={pick(campaign.value?.summary)} />
      </p>
      <Examples hasDescription />
      {/* Made from Markdown and cleaned by the server; the content security policy stops scripts besides. */}
      <div
        class="prose"
        lang={instructions.lang || undefined}
        dir="auto"
        dangerouslySetInnerHTML={{ __html: instructions.text }}
      />
      <p>
        <Rich text={say("first_empty")} />
      </p>
      <div class="btns">
        <button type="button" class="btn primary" onClick={close}>
          {say("back_to_image")}
        </button>
      </div>
    </Card>
  );
}

export function More() {
  return (
    <Card role="dialog" title={say("more_title")} onClose={close}>
      <ul class="choices">
        <li>
          <button type="button" onClick={badImage}>
            <Icon name="cloud" />
            <span>
              <b>{say("bad_image")}</b>
              {say("more_bad_text")}
            </span>
          </button>
        </li>
        <li>
          <button type="button" onClick={skip}>
            <Icon name="skip" flip />
            <span>
              <b>{say("skip")}</b>
              {say("more_skip_text")}
            </span>
          </button>
        </li>
      </ul>
      {tags.value.length > 0 && <p class="fine">{say("more_tags")}</p>}
    </Card>
  );
}

const KEYS: [Parameters<typeof say>[0], string[]][] = [
  ["keys_finish", ["space_key"]],
  ["keys_undo", ["Z"]],
  ["keys_choose", ["1", "…", "9"]],
  ["keys_put", ["key_enter"]],
  ["keys_move", ["←", "↑", "→", "↓"]],
  ["keys_small", ["key_shift", "→"]],
  ["keys_zoom", ["+", "−"]],
  ["keys_fit", ["0"]],
  ["keys_next", ["key_tab"]],
  ["keys_remove", ["key_delete"]],
  ["bad_image", ["X"]],
  ["skip", ["S"]],
  ["keys_bare", ["H"]],
  ["keys_redo", ["key_shift", "Z"]],
  ["keys_list", ["?"]],
];

const keyName = (key: string) => (key.length > 1 ? say(key as Parameters<typeof say>[0]) : key);

export function Keys() {
  return (
    <Card role="dialog" wide middle title={say("keys_title")} onClose={close}>
      <ul class="keys">
        {KEYS.map(([what, keys]) => (
          <li key={what}>
            {say(what)}
            <span>{keys.map((key) => (key === "…" ? key : <kbd key={key}>{keyName(key)}</kbd>))}</span>
          </li>
        ))}
      </ul>
      <label class="fine row switch">
        <input
          type="checkbox"
          checked={hasShortcuts.value}
          onChange={(event) => setShortcuts(event.currentTarget.checked)}
        />
        {say("keys_on")}
      </label>
    </Card>
  );
}

export function Source() {
  const from = imagery.value!;
  const rows: [Parameters<typeof say>[0], string | null][] = [
    ["source_name", from.name],
    ["source_date", from.acquired_at && words.date(from.acquired_at)],
    [
      "source_resolution",
      from.ground_sample_distance_m ? say("source_resolution_value", { n: from.ground_sample_distance_m }) : null,
    ],
    ["source_sensor", from.sensor],
    ["source_catalogue", from.catalogue_id],
    ["source_attribution", from.attribution],
  ];
  return (
    <Card role="dialog" middle title={say("source_title")} onClose={close}>
      <dl class="facts">
        {rows.map(
          ([label, value]) =>
            value && (
              <div key={label}>
                <dt>{say(label)}</dt>
                <dd dir="auto">{value}</dd>
              </div>
            ),
        )}
        {from.licence && (
          <div>
            <dt>{say("source_licence")}</dt>
            <dd dir="auto">
              {from.licence_url ? (
                <a href={from.licence_url} rel="noreferrer">
                  {from.licence}
                </a>
              ) : (
                from.licence
              )}
            </dd>
          </div>
        )}
      </dl>
    </Card>
  );
}
