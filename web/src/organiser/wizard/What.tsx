/** Step 1: what people look for, in every language of the campaign. */
import { signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { Icon } from "../../shared/symbols.tsx";
import { slugFor } from "./definition.ts";
import { TextField } from "./fields.tsx";
import { languageName, say } from "./language.ts";
import { Refused } from "./Status.tsx";
import { isSlug } from "./slug.ts";
import { change, draft, settings } from "./state.ts";
import { TagTypes } from "./TagTypes.tsx";

const LANGUAGES =
  "ar bg bn ca cs da de el en es et fa fi fr he hi hr hu id it ja ko lt lv ms nb ne nl pl pt ro ru sk sl sr sv sw ta th tr uk ur vi zh-Hans zh-Hant".split(
    " ",
  );

/** The language whose texts are in the fields. */
const chosen = signal<string | null>(null);
export const textLanguage = (): string =>
  chosen.value !== null && draft.value.languages.includes(chosen.value) ? chosen.value : draft.value.languages[0]!;

export function WhatStep() {
  const language = textLanguage();
  const write = (field: "title" | "summary" | "instructions") => (text: string) =>
    change({ what: "text", field, language, text });
  const d = draft.value;
  return (
    <>
      <h1>{say("what_title")}</h1>
      <p>{say("what_lead")}</p>
      <Refused />
      <LanguageTabs language={language} />
      <div id="texts" role="tabpanel" aria-labelledby={`tab-${language}`}>
        <TextField
          id="w-title"
          label={say("title_label")}
          lang={language}
          value={d.title[language] ?? ""}
          most={120}
          onInput={write("title")}
        />
        <TextField
          id="w-summary"
          label={say("summary_label")}
          hint={say("summary_hint")}
          lang={language}
          rows={2}
          most={500}
          value={d.summary[language] ?? ""}
          onInput={write("summary")}
        />
        <TextField
          id="w-instructions"
          label={say("instructions_label")}
          hint={say("instructions_hint")}
          lang={language}
          rows={5}
          most={20_000}
          value={d.instructions[language] ?? ""}
          onInput={write("instructions")}
        />
        {language !== d.languages[0] && (
          <button type="button" class="btn sm ghost" onClick={() => change({ what: "remove_language", language })}>
            <Icon name="bin" small />
            {say("remove_language", { language: languageName(language) })}
          </button>
        )}
      </div>
      <TagTypes language={language} />
      <SlugField />
    </>
  );
}

function LanguageTabs({ language }: { language: string }) {
  const { languages } = draft.value;
  const [isAdding, setAdding] = useState(false);
  const free = LANGUAGES.filter((tag) => !languages.includes(tag)).sort((a, b) =>
    languageName(a).localeCompare(languageName(b)),
  );
  const move = (event: KeyboardEvent) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    const forward = document.documentElement.dir === "rtl" ? -by : by;
    const to = languages[(languages.indexOf(language) + forward + languages.length) % languages.length]!;
    chosen.value = to;
    document.getElementById(`tab-${to}`)?.focus();
  };
  return (
    <div class="blk tabs">
      <div class="row" role="tablist" aria-label={say("language")} onKeyDown={move}>
        {languages.map((tag) => (
          <button
            key={tag}
            id={`tab-${tag}`}
            type="button"
            role="tab"
            lang={tag}
            aria-selected={tag === language}
            aria-controls="texts"
            tabIndex={tag === language ? 0 : -1}
            onClick={() => (chosen.value = tag)}
          >
            {languageName(tag)}
          </button>
        ))}
      </div>
      {isAdding ? (
        <select
          class="field small"
          aria-label={say("add_language")}
          ref={(element) => element?.focus()}
          onBlur={() => setAdding(false)}
          onChange={(event) => {
            const added = event.currentTarget.value;
            if (!added) return;
            change({ what: "add_language", language: added });
            chosen.value = added;
            setAdding(false);
          }}
        >
          <option value="">{say("choose_language")}</option>
          {free.map((tag) => (
            <option key={tag} value={tag} lang={tag}>
              {languageName(tag)}
            </option>
          ))}
        </select>
      ) : (
        <button type="button" onClick={() => setAdding(true)}>
          {say("add_language")}
        </button>
      )}
    </div>
  );
}

function SlugField() {
  const d = draft.value;
  const slug = slugFor(d);
  const [isOpen, setOpen] = useState(false);
  const isWrong = slug !== "" && !isSlug(slug);
  useEffect(() => {
    if (isWrong) setOpen(true);
  }, [isWrong]);
  return (
    <details class="blk more" open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{say("more")}</summary>
      <TextField
        id="w-slug"
        label={say("slug_label")}
        hint={`${location.host}/s/`}
        value={slug}
        most={64}
        wrong={isWrong ? say("slug_wrong") : null}
        help={say(d.isSlugOwn ? "slug_own" : "slug_follows")}
        onInput={(text) => settings({ slug: text.trim().toLowerCase(), isSlugOwn: text.trim() !== "" })}
      />
    </details>
  );
}
