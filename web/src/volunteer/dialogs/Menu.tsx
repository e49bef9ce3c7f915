/** The menu: light, shortcuts, what this device has done, and looks that could not be saved. */

import { LANGUAGES, type Language } from "../../shared/language.ts";
import { reader } from "../../shared/locale.ts";
import { Icon } from "../../shared/symbols.tsx";
import { say, speak } from "../language.ts";
import type { Kept } from "../outbox.ts";
import { setLight, setShortcuts } from "../remember.ts";
import { along, dialog, hasShortcuts, isLight, isTry, mayTakeAlong, mine, outboxCounts } from "../store.ts";
import { currentSession } from "../tagging.ts";
import { Card } from "./Card.tsx";
import { close } from "./dialogs.tsx";

function Switch({
  label,
  hint,
  on,
  onChange,
}: {
  label: string;
  hint: string;
  on: boolean;
  onChange: (on: boolean) => void;
}) {
  return (
    <label class="switch item">
      <span class="grow">
        <b>{label}</b>
        <small>{hint}</small>
      </span>
      <input type="checkbox" checked={on} onChange={(event) => onChange(event.currentTarget.checked)} />
    </label>
  );
}

/** Each language by its own name, so that one finds it again. */
function Languages() {
  return (
    <label class="item">
      <b class="grow">{say("menu_language")}</b>
      <select
        class="field languages"
        value={reader.value.language}
        onChange={(event) => void speak(event.currentTarget.value as Language)}
      >
        {Object.entries(LANGUAGES).map(([language, name]) => (
          <option key={language} value={language} lang={language}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}

function Refused({ record }: { record: Kept }) {
  const { why, request_id } = record.refused!;
  return (
    <li>
      <span class="grow">
        {say("menu_refused_why", { cell: record.look.cell, why: why || say("menu_refused_unknown") })}
        {request_id && <small>{say("menu_request_id", { id: request_id })}</small>}
      </span>
      <button type="button" class="btn sm" onClick={() => void currentSession().dismiss(record.id)}>
        {say("menu_dismiss")}
      </button>
    </li>
  );
}

export function Menu() {
  const { refused } = outboxCounts.value;
  return (
    <Card role="dialog" middle title={say("menu")} onClose={close}>
      <div class="items">
        <Switch label={say("menu_light")} hint={say("menu_light_hint")} on={isLight.value} onChange={setLight} />
        <Switch
          label={say("menu_shortcuts")}
          hint={say("menu_shortcuts_hint")}
          on={hasShortcuts.value}
          onChange={setShortcuts}
        />
        <button type="button" class="item" onClick={() => (dialog.value = "keys")}>
          <b class="grow">{say("menu_keys")}</b>
          <Icon name="chevron" flip />
        </button>
        <Languages />
        {!isTry.value && (
          <button type="button" class="item" onClick={() => (dialog.value = "mine")}>
            <span class="grow">
              <b>{say("menu_mine")}</b>
              <small class="num">{say("menu_mine_text", { n: mine.value.looks })}</small>
            </span>
            <Icon name="chevron" flip />
          </button>
        )}
        {mayTakeAlong.value && (
          <button type="button" class="item" onClick={() => (dialog.value = "along")}>
            <span class="grow">
              <b>{say("along_title")}</b>
              <small class="num">
                {along.value.left > 0 ? say("along_left_here", { n: along.value.left }) : say("along_hint")}
              </small>
            </span>
            <Icon name="chevron" flip />
          </button>
        )}
        {refused.length > 0 && (
          <div class="refused">
            <b>{say("menu_refused", { n: refused.length })}</b>
            <ul>
              {refused.map((record) => (
                <Refused key={record.id} record={record} />
              ))}
            </ul>
          </div>
        )}
      </div>
    </Card>
  );
}
