import { expect, test } from "vitest";
import { pick } from "../../src/shared/locale.ts";
import { Words } from "../../src/shared/words.ts";
import { en } from "../../src/words/en.ts";
import { enOrganiser } from "../../src/words/en-organiser.ts";

const words = new Words(en, "en-GB");

test("the primary button counts in words", () => {
  expect(words.say("done_tags", { n: 1 })).toBe("Done, 1 tag");
  expect(words.say("done_tags", { n: 2 })).toBe("Done, 2 tags");
});

test("large numbers have separators", () => {
  expect(words.say("to_search", { n: 5184 })).toBe("5,184 squares to search");
});

test("other languages use their own plural forms", () => {
  const polish = new Words(
    { looks: { one: "{n} spojrzenie", few: "{n} spojrzenia", many: "{n} spojrzeń", other: "{n} spojrzenia" } },
    "pl",
  );
  expect([1, 3, 7].map((n) => polish.say("looks", { n }))).toEqual(["1 spojrzenie", "3 spojrzenia", "7 spojrzeń"]);
});

test("a hole that nobody fills is empty, not a brace", () => {
  expect(words.say("menu_refused_why", { cell: "17/1/2" })).not.toContain("{");
});

test("every sentence with plural forms has the form of last resort", () => {
  for (const sentence of [...Object.values(en), ...Object.values(enOrganiser)]) {
    if (typeof sentence !== "string") expect(sentence.other).toBeTruthy();
  }
});

test("a campaign speaks the reader's language, else its own first", () => {
  const texts = { ko: "찾기", "en-GB": "Find" };
  expect(pick(texts, [], ["en-US", "de"])).toEqual({ text: "Find", lang: "en-GB" });
  expect(pick(texts, [], ["de"])).toEqual({ text: "찾기", lang: "ko" });
  expect(pick(texts, ["en-GB", "ko"], ["de"])).toEqual({ text: "Find", lang: "en-GB" });
  expect(pick(null, [], ["de"])).toEqual({ text: "", lang: "" });
});
