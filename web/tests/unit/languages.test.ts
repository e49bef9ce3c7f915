import { describe, expect, test } from "vitest";
import { LANGUAGES, readerOf } from "../../src/shared/language.ts";
import { type Catalogue, type Sentence, Words } from "../../src/shared/words.ts";
import { en } from "../../src/words/en.ts";
import { pseudo } from "../../src/words/pseudo.ts";

/** de-wizard.ts holds the German words of the wizard, de.ts the volunteer's, and nothing else. */
const FILES = import.meta.glob<Record<string, Catalogue>>(["../../src/words/??.ts", "../../src/words/??-*.ts"], {
  eager: true,
});

const CATALOGUES: Record<string, Record<string, Catalogue>> = {};
for (const [path, module] of Object.entries(FILES)) {
  const [, language, part = "volunteer"] = /(\w+)(?:-(\w+))?\.ts$/.exec(path)!;
  CATALOGUES[part] = { ...CATALOGUES[part], [language!]: Object.values(module)[0]! };
}

test("there is a catalogue of each part in each language", () => {
  expect(Object.keys(CATALOGUES)).toEqual(expect.arrayContaining(["volunteer", "organiser", "start"]));
  for (const catalogues of Object.values(CATALOGUES))
    expect(Object.keys(catalogues).sort()).toEqual(Object.keys(LANGUAGES).sort());
});

const EVERY = Object.entries(CATALOGUES).flatMap(([name, catalogues]) =>
  Object.entries(catalogues).map(([language, catalogue]) => ({ name, language, catalogue })),
);
const TRANSLATED = EVERY.filter(({ language }) => language !== "en");

const forms = (sentence: Sentence): string[] => (typeof sentence === "string" ? [sentence] : Object.values(sentence));
const holes = (text: string): string =>
  [...text.matchAll(/\{(\w+)\}/g)]
    .map(([, name]) => name)
    .sort()
    .join(" ");
const sentencesThat = (catalogue: Catalogue, isWrong: (sentence: Sentence, key: string) => boolean): string[] =>
  Object.keys(catalogue).filter((key) => isWrong(catalogue[key]!, key));

describe.each(TRANSLATED)("the $name's words in $language", ({ name, catalogue }) => {
  const english = CATALOGUES[name]!.en!;

  test("are the same sentences as in English", () => {
    expect(Object.keys(catalogue).sort()).toEqual(Object.keys(english).sort());
  });

  test("have the same holes, and the same bold parts", () => {
    const stars = (text: string) => text.split("**").length;
    const wrong = sentencesThat(catalogue, (sentence, key) => {
      const model = forms(english[key]!).at(-1)!;
      // "The newest tag" needs no number; whatever else there is to say stays.
      const isLike = (form: string) => [form, `${form}{n}`].some((one) => holes(one) === holes(model));
      return forms(sentence).some((form) => !isLike(form) || stars(form) !== stars(model));
    });
    expect(wrong).toEqual([]);
  });

  test("are in the same order as in English, so that both files can be read side by side", () => {
    expect(Object.keys(catalogue)).toEqual(Object.keys(english));
  });
});

describe.each(EVERY)("the $name's words in $language", ({ language, catalogue }) => {
  test("have exactly the plural forms of the language", () => {
    const needed = new Intl.PluralRules(language).resolvedOptions().pluralCategories.slice().sort();
    const wrong = sentencesThat(
      catalogue,
      (sentence) => typeof sentence !== "string" && Object.keys(sentence).sort().join() !== needed.join(),
    );
    expect(wrong).toEqual([]);
  });

  test("choose a form by a number that is in the sentence", () => {
    const wrong = sentencesThat(
      catalogue,
      (sentence) => typeof sentence !== "string" && !holes(sentence.other).split(" ").includes("n"),
    );
    expect(wrong).toEqual([]);
  });

  test("are whole: nothing empty, no stray brace, no odd bold mark", () => {
    const wrong = sentencesThat(catalogue, (sentence) =>
      forms(sentence).some(
        (form) => !form.trim() || /[{}]/.test(form.replace(/\{\w+\}/g, "")) || form.split("**").length % 2 === 0,
      ),
    );
    expect(wrong).toEqual([]);
  });
});

describe("the reader's language", () => {
  const language = (asked: string | null, chosen: string | null, wanted: string[]) =>
    readerOf(asked, chosen, wanted).language;

  test("is the one in the address, else the chosen one, else the browser's first that we have", () => {
    expect(language("de", "en", ["en-GB"])).toBe("de");
    expect(language(null, "de", ["en-GB"])).toBe("de");
    expect(language(null, null, ["ko", "de-AT", "en"])).toBe("de");
    expect(language(null, null, ["ko"])).toBe("en");
  });

  test("is never one that we do not have, whatever the address or the device say", () => {
    for (const strange of ["", "xx", "constructor", "__proto__", "../../en"])
      expect(language(strange, strange, ["ko"])).toBe("en");
  });

  test("brings its region along, for numbers and dates", () => {
    expect(readerOf(null, null, ["ko", "de-AT"]).locale).toBe("de-AT");
    expect(readerOf(null, "de", ["en-GB"]).locale).toBe("de");
    expect(readerOf("de-CH", null, ["en-GB"]).locale).toBe("de-CH");
  });
});

test("the pseudo-language keeps the holes and is about two fifths longer", () => {
  const { locale } = readerOf("x-rtl", null, ["en"]);
  const strange = pseudo<typeof en>(en);
  expect(new Words(strange, locale).say("done_tags", { n: 2 })).toBe("Dóónéé, 2 táágs");
  const size = (catalogue: Catalogue) => Object.values(catalogue).flatMap(forms).join("").length;
  expect(size(strange) / size(en)).toBeGreaterThan(1.25);
  expect(
    sentencesThat(
      strange,
      (sentence, key) => holes(forms(sentence).join()) !== holes(forms(en[key as keyof typeof en]).join()),
    ),
  ).toEqual([]);
});
