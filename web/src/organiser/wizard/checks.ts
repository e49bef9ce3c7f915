/**
 * What stands in the way of publishing, and what an experienced organiser would advise.
 *
 * Invariant: pure; "bad" blocks, "warn" never does. Each check names the step where it is put right.
 */
import type { Layer, Preview } from "./api.ts";
import { bestZoom } from "./cells.ts";
import { tooNear } from "./colours.ts";
import { missing, slugFor } from "./definition.ts";
import { type Draft, mainText } from "./draft.ts";
import { isSlug } from "./slug.ts";

export const STEPS = ["what", "imagery", "area", "looks", "publish"] as const;
export type Step = (typeof STEPS)[number];

export type CheckId =
  | "no_title"
  | "no_types"
  | "no_imagery"
  | "no_area"
  | "area_refused"
  | "bad_slug"
  | "ends_first"
  | "ends_past"
  | "covers_nothing"
  | "no_instructions"
  | "language_title"
  | "language_instructions"
  | "one_type"
  | "many_types"
  | "near_colours"
  | "same_icons"
  | "no_size"
  | "covers_part"
  | "first_outside"
  | "few_looks"
  | "other_cells";

export interface Check {
  id: CheckId;
  step: Step;
  tone: "bad" | "warn";
  holes: Record<string, string | number>;
}

export interface Facts {
  layer: Layer | null;
  preview: Preview | null;
  isRefused: boolean;
  lat: number;
  now: number;
}

export function checksOf(draft: Draft, facts: Facts): Check[] {
  return [...blocking(draft, facts), ...languages(draft), ...types(draft), ...thoroughness(draft, facts)];
}

/** Part of the area, 0 to 1, on which the layer has imagery; null while nobody has said. */
export const coverageOf = (preview: Preview | null, layer: string | null): number | null =>
  preview?.coverage?.find((entry) => entry.imagery_layer === layer)?.share ?? null;

const bad = (id: CheckId, step: Step): Check => ({ id, step, tone: "bad", holes: {} });
const warn = (id: CheckId, step: Step, holes: Check["holes"] = {}): Check => ({ id, step, tone: "warn", holes });

function blocking(draft: Draft, { preview, isRefused, now }: Facts): Check[] {
  const lacks = missing(draft);
  const found: Check[] = [];
  if (lacks.includes("title")) found.push(bad("no_title", "what"));
  if (lacks.includes("types")) found.push(bad("no_types", "what"));
  if (!lacks.includes("title") && !isSlug(slugFor(draft))) found.push(bad("bad_slug", "what"));
  if (lacks.includes("imagery")) found.push(bad("no_imagery", "imagery"));
  if (lacks.includes("area")) found.push(bad("no_area", "area"));
  else if (isRefused) found.push(bad("area_refused", "area"));
  if (coverageOf(preview, draft.imagery) === 0) found.push(bad("covers_nothing", "imagery"));
  const ends = draft.endsAt === null ? null : Date.parse(draft.endsAt);
  if (ends !== null && draft.startsAt !== null && ends <= Date.parse(draft.startsAt))
    found.push(bad("ends_first", "looks"));
  else if (ends !== null && ends <= now) found.push(bad("ends_past", "looks"));
  return found;
}

function languages(draft: Draft): Check[] {
  const [main, ...others] = draft.languages;
  const found: Check[] = [];
  const hasMain = Boolean(draft.instructions[main!]?.trim());
  if (!hasMain && !mainText(draft, draft.instructions).trim()) found.push(warn("no_instructions", "what"));
  for (const language of others) {
    if (!draft.title[language]?.trim()) found.push(warn("language_title", "what", { language, main: main! }));
    else if (hasMain && !draft.instructions[language]?.trim())
      found.push(warn("language_instructions", "what", { language, main: main! }));
  }
  return found;
}

function types(draft: Draft): Check[] {
  const found: Check[] = [];
  if (draft.types.length === 1) found.push(warn("one_type", "what"));
  if (draft.types.length > 4) found.push(warn("many_types", "what", { n: draft.types.length }));
  for (const [i, type] of draft.types.entries()) {
    const near = tooNear(type.colour, draft.types.slice(0, i));
    const names = (other: (typeof draft.types)[number]) => ({
      one: mainText(draft, other.name),
      other: mainText(draft, type.name),
    });
    if (near) found.push(warn("near_colours", "what", names(near)));
    const same = draft.types.slice(0, i).find((other) => other.icon === type.icon);
    if (same) found.push(warn("same_icons", "what", names(same)));
  }
  if (draft.types.length > 0 && draft.types.every((type) => type.sizeM === null)) found.push(warn("no_size", "what"));
  return found;
}

function thoroughness(draft: Draft, { layer, preview, lat }: Facts): Check[] {
  const found: Check[] = [];
  const share = coverageOf(preview, draft.imagery);
  if (share !== null && share > 0 && share < 0.9995) found.push(warn("covers_part", "imagery", { share }));
  if (preview?.priority_parts?.some((part) => part.cells === 0)) found.push(warn("first_outside", "area"));
  if (draft.looksWanted < 3) found.push(warn("few_looks", "looks", { n: draft.looksWanted }));
  if (layer && draft.cellZoom !== null && draft.cellZoom !== bestZoom(layer, lat))
    found.push(warn("other_cells", "looks"));
  return found;
}
