import { expect, test } from "vitest";
import { isSlug, keysOf, nextSlug, SLUG_MOST, slugOf } from "../../src/organiser/wizard/slug.ts";

test.each([
  ["Find the missing light aircraft", "find-the-missing-light-aircraft"],
  ["  Überflutete Straßen, Łódź!  ", "ueberflutete-strassen-lodz"],
  ["Don’t stop", "dont-stop"],
  ["行方不明機を探す", ""],
  ["New", "new-1"],
  ["Preview", "preview-1"],
])("%s becomes %s", (text, slug) => {
  expect(slugOf(text)).toBe(slug);
  if (slug) expect(isSlug(slug)).toBe(true);
});

test("a long title is cut at a word", () => {
  const slug = slugOf("word ".repeat(30));
  expect(slug.length).toBeLessThanOrEqual(SLUG_MOST);
  expect(slug.endsWith("word")).toBe(true);
});

test("a taken slug counts on and stays short enough", () => {
  expect(nextSlug("plane")).toBe("plane-2");
  expect(nextSlug("plane-2")).toBe("plane-3");
  expect(isSlug(nextSlug("a".repeat(64)))).toBe(true);
});

test("keys of tag types are never given twice, and exist for every script", () => {
  expect(keysOf(["Wreckage", "wreckage!", "残骸"])).toEqual(["wreckage", "wreckage-2", "type-3"]);
});
