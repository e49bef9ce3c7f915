import { expect, test } from "vitest";
import type { OwnCampaign } from "../../src/organiser/wizard/api.ts";
import { type Check, checksOf, type Facts } from "../../src/organiser/wizard/checks.ts";
import { definitionOf, draftOf, missing, patchOf, slugFor, storedOf } from "../../src/organiser/wizard/definition.ts";
import { type Change, changed, type Draft, emptyDraft, newType, type Part } from "../../src/organiser/wizard/draft.ts";

const part = (kind: Part["kind"], id: string = kind): Part => ({
  id,
  kind,
  name: kind === "first" ? "Last radar contact" : "",
  weight: kind === "first" ? 3 : 1,
  geometry: {
    type: "MultiPolygon",
    coordinates: [
      [
        [
          [0, 0],
          [1, 0],
          [1, 1],
          [0, 0],
        ],
      ],
    ],
  },
  file: null,
  repairs: [],
});

const doing = (draft: Draft, ...changes: Change[]): Draft => changes.reduce(changed, draft);

const whole = doing(
  emptyDraft("0123456789abcdef", "en"),
  { what: "text", field: "title", language: "en", text: "Find the plane" },
  { what: "text", field: "instructions", language: "en", text: "Look." },
  { what: "add_type", id: "a" },
  { what: "edit_type", id: "a", to: { name: { en: "Wreckage" }, sizeM: 9 } },
  { what: "add_type", id: "b" },
  { what: "edit_type", id: "b", to: { name: { en: "Person" } } },
  { what: "settings", to: { imagery: "demo" } },
  { what: "add_parts", parts: [part("area"), part("leave_out"), part("first")] },
);

const facts: Facts = { layer: null, preview: null, isRefused: false, lat: 57, now: Date.UTC(2026, 0, 1) };
const ids = (draft: Draft, more: Partial<Facts> = {}): Check["id"][] =>
  checksOf(draft, { ...facts, ...more }).map((check) => check.id);

test("a new draft lacks all four things, a whole one none", () => {
  expect(missing(emptyDraft("x", "en"))).toEqual(["title", "types", "imagery", "area"]);
  expect(missing(whole)).toEqual([]);
});

test("a tag type without a name keeps the draft on this device", () => {
  expect(missing(doing(whole, { what: "add_type", id: "c" }))).toEqual(["types"]);
});

test("the definition is what the API takes", () => {
  const definition = definitionOf(whole, 17);
  expect(definition).toMatchObject({
    slug: "find-the-plane",
    title: { en: "Find the plane" },
    cell_zoom: 17,
    looks_wanted: 5,
    imagery_layer: "demo",
    priorities: [{ weight: 3, name: "Last radar contact" }],
  });
  expect(definition.tag_types.map((type) => [type.key, type.colour, type.icon])).toEqual([
    ["wreckage", "#F5330F", "triangle"],
    ["person", "#6CCEEF", "circle"],
  ]);
  expect(definition.leave_out?.coordinates).toHaveLength(1);
});

test("what the server gives back is the same draft", () => {
  const definition = definitionOf(whole, 17);
  const campaign = {
    ...definition,
    outline: definition.area,
    version: 4,
    tag_types: definition.tag_types.map((type) => ({ examples: [], ...type })),
  } as unknown as OwnCampaign;
  expect(definitionOf(draftOf(campaign, "y"), 17)).toEqual(definition);
});

test("a language that was removed is named with null, so that a merge patch takes it away", () => {
  const two = doing(
    whole,
    { what: "add_language", language: "es" },
    { what: "text", field: "title", language: "es", text: "Busca" },
  );
  const stored = storedOf({ ...definitionOf(two, 17), version: 2 } as unknown as OwnCampaign);
  const one = doing(two, { what: "remove_language", language: "es" });
  expect(patchOf(definitionOf(one, 17), stored.texts).title).toEqual({ en: "Find the plane", es: null });
});

test("the last language cannot be removed", () => {
  expect(doing(whole, { what: "remove_language", language: "en" }).languages).toEqual(["en"]);
});

test("the slug follows the title until somebody writes one, and exists without Latin letters", () => {
  expect(slugFor(whole)).toBe("find-the-plane");
  expect(slugFor(doing(whole, { what: "settings", to: { slug: "mine", isSlugOwn: true } }))).toBe("mine");
  expect(slugFor(doing(whole, { what: "text", field: "title", language: "en", text: "行方不明機" }))).toBe(
    "campaign-abcdef",
  );
});

test("a new tag type gets the first shape and colour that are free", () => {
  const one = newType("c", whole.types.slice(1));
  expect([one.icon, one.colour]).toEqual(["triangle", "#F5330F"]);
});

test("moving a tag type keeps all of them", () => {
  const moved = doing(whole, { what: "move_type", id: "b", to: 0 });
  expect(moved.types.map((type) => type.id)).toEqual(["b", "a"]);
  expect(doing(moved, { what: "move_type", id: "nobody", to: 0 }).types).toHaveLength(2);
});

test("looks and weights stay within their limits", () => {
  expect(doing(whole, { what: "settings", to: { looksWanted: 99 } }).looksWanted).toBe(15);
  const heavy = doing(whole, { what: "edit_part", id: "first", to: { weight: 0 } });
  expect(heavy.parts.find((entry) => entry.id === "first")?.weight).toBe(1);
});

test("a whole draft has nothing in its way; an empty one four things", () => {
  expect(ids(whole)).toEqual([]);
  const empty = checksOf(emptyDraft("x", "en"), facts).filter((check) => check.tone === "bad");
  expect(empty.map((check) => check.id)).toEqual(["no_title", "no_types", "no_imagery", "no_area"]);
});

test("a refused area and a wrong end block", () => {
  expect(ids(whole, { isRefused: true })).toContain("area_refused");
  expect(ids(doing(whole, { what: "settings", to: { endsAt: "2025-12-31T00:00:00Z" } }))).toContain("ends_past");
  const turned = { startsAt: "2026-03-01T00:00:00Z", endsAt: "2026-02-01T00:00:00Z" };
  expect(ids(doing(whole, { what: "settings", to: turned }))).toContain("ends_first");
});

test("advice: a language without instructions, near colours, few looks, imagery that covers a part", () => {
  const spanish = doing(
    whole,
    { what: "add_language", language: "es" },
    { what: "text", field: "title", language: "es", text: "Busca" },
  );
  expect(ids(spanish)).toEqual(["language_instructions"]);
  expect(ids(doing(whole, { what: "edit_type", id: "b", to: { colour: "#F03010" } }))).toEqual(["near_colours"]);
  expect(ids(doing(whole, { what: "settings", to: { looksWanted: 2 } }))).toEqual(["few_looks"]);
  const preview = { coverage: [{ imagery_layer: "demo", share: 0.71 }] } as unknown as Facts["preview"];
  expect(ids(whole, { preview })).toEqual(["covers_part"]);
});
