import { expect, test } from "vitest";
import { worthOffering } from "../../src/volunteer/others.ts";

test("the searches that the server names are offered in its order", () => {
  const named = [
    { slug: "flood", title: { en: "Houses after the flood", de: "Häuser nach der Flut" } },
    { slug: "ice", title: { de: "Risse im Eis" } },
  ];
  expect(worthOffering(named)).toEqual(named);
});

test("nothing is offered when the server names nothing", () => {
  for (const named of [undefined, null, []]) expect(worthOffering(named)).toEqual([]);
});

test("what has no title or no address is not offered, and nothing twice", () => {
  const good = { slug: "ice", title: { de: "Risse im Eis" } };
  const named = [
    { slug: "", title: { en: "Nowhere" } },
    { slug: "empty", title: {} },
    { slug: "blank", title: { en: "  " } },
    { slug: "untitled" },
    good,
    { slug: "ice", title: { de: "Noch einmal" } },
  ];
  expect(worthOffering(named)).toEqual([good]);
});

test("a title that is empty in one language is taken in another", () => {
  expect(worthOffering([{ slug: "ice", title: { en: " ", de: "Risse im Eis" } }])).toEqual([
    { slug: "ice", title: { de: "Risse im Eis" } },
  ]);
});
