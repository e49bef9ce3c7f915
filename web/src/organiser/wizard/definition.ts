/**
 * Between a draft and what the API takes and gives.
 *
 * Invariant: `definitionOf` is only asked for a draft that lacks nothing; what it makes and `draftOf` reads back is the
 * same draft, but for the files that its parts came from.
 */
import type { LonLat, MultiPolygon, Texts } from "../../shared/contract.ts";
import type { CampaignDefinition } from "../../shared/openapi.ts";
import { uuid7 } from "../../shared/uuid7.ts";
import type { OwnCampaign, PreviewOf } from "./api.ts";
import { type Draft, type DraftType, mainText, type Part, type PartKind, type Repair } from "./draft.ts";
import { keysOf, slugOf } from "./slug.ts";

/** What the server needs before it takes a draft. */
export type Missing = "title" | "imagery" | "area" | "types";

const TEXT_FIELDS = ["title", "summary", "instructions"] as const;

/** The languages of each text that the server has; RFC 7396 wants a null for each that goes. */
export type StoredTexts = Record<(typeof TEXT_FIELDS)[number], string[]>;

/** The draft as the server knows it. */
export interface Stored {
  slug: string;
  version: number;
  texts: StoredTexts;
}

export const partsOf = (draft: Draft, kind: PartKind): Part[] => draft.parts.filter((part) => part.kind === kind);

export function missing(draft: Draft): Missing[] {
  const found: Missing[] = [];
  if (!Object.values(draft.title).some((text) => text.trim())) found.push("title");
  if (!draft.types.length || draft.types.some((type) => !mainText(draft, type.name).trim())) found.push("types");
  if (!draft.imagery) found.push("imagery");
  if (!partsOf(draft, "area").length) found.push("area");
  return found;
}

/** One geometry of several parts; overlaps are for the server to dissolve. */
export function joined(parts: readonly Part[]): MultiPolygon | null {
  const coordinates = parts.flatMap((part) => part.geometry.coordinates);
  return coordinates.length ? { type: "MultiPolygon", coordinates } : null;
}

/** The draft's slug: its own, else made of the title, else of the draft's id when the title has no Latin letter. */
export function slugFor(draft: Draft): string {
  if (draft.isSlugOwn) return draft.slug;
  const title = mainText(draft, draft.title);
  return slugOf(title) || (title.trim() ? `campaign-${draft.id.slice(-6)}` : "");
}

export function definitionOf(draft: Draft, cellZoom: number): CampaignDefinition & { leave_out: MultiPolygon | null } {
  const keys = keysOf(draft.types.map((type) => type.key || mainText(draft, type.name)));
  return {
    slug: slugFor(draft),
    languages: draft.languages as CampaignDefinition["languages"] & {},
    title: trimmed(draft, draft.title),
    summary: trimmed(draft, draft.summary),
    instructions: trimmed(draft, draft.instructions),
    area: joined(partsOf(draft, "area"))!,
    leave_out: joined(partsOf(draft, "leave_out")),
    priorities: prioritiesOf(draft),
    cell_zoom: cellZoom,
    looks_wanted: draft.looksWanted,
    lease_seconds: draft.leaseSeconds,
    imagery_layer: draft.imagery!,
    tag_types: draft.types.map((type, i) => typeDefinition(draft, type, keys[i]!)) as CampaignDefinition["tag_types"],
    agreement_radius_m: draft.agreementRadiusM,
    starts_at: draft.startsAt,
    ends_at: draft.endsAt,
  };
}

/** The definition as a merge patch: languages that went away are named with null. */
export function patchOf(definition: ReturnType<typeof definitionOf>, texts: StoredTexts): Record<string, unknown> {
  const patch: Record<string, unknown> = { ...definition };
  for (const field of TEXT_FIELDS) {
    const now = definition[field] ?? {};
    const gone = texts[field].filter((language) => !(language in now));
    patch[field] = { ...now, ...Object.fromEntries(gone.map((language) => [language, null])) };
  }
  return patch;
}

export function storedOf(campaign: OwnCampaign): Stored {
  const languages = (texts: Texts | null) => Object.keys(texts ?? {});
  return {
    slug: campaign.slug,
    version: campaign.version,
    texts: {
      title: languages(campaign.title),
      summary: languages(campaign.summary),
      instructions: languages(campaign.instructions),
    },
  };
}

export function previewOf(draft: Draft, cellZoom: number, layers: readonly string[]): PreviewOf | null {
  const area = joined(partsOf(draft, "area"));
  if (!area) return null;
  const leaveOut = joined(partsOf(draft, "leave_out"));
  const priorities = prioritiesOf(draft);
  return {
    area,
    cell_zoom: cellZoom,
    looks_wanted: draft.looksWanted,
    ...(leaveOut ? { leave_out: leaveOut } : {}),
    ...(priorities.length ? { priorities } : {}),
    ...(layers.length ? { imagery_layers: layers.slice(0, 50) } : {}),
  };
}

/** A draft made of what the server has. */
export function draftOf(campaign: OwnCampaign, id: string): Draft {
  const outline = campaign.outline ?? campaign.area;
  const part = (kind: PartKind, geometry: MultiPolygon, name = "", weight = 1): Part => ({
    id: uuid7(),
    kind,
    name,
    weight,
    geometry,
    file: null,
    repairs: [] as Repair[],
  });
  return {
    id,
    languages: languagesOf(campaign),
    title: campaign.title,
    summary: campaign.summary ?? {},
    instructions: campaign.instructions ?? {},
    slug: campaign.slug,
    isSlugOwn: true,
    types: campaign.tag_types.map((type) => ({
      id: uuid7(),
      key: type.key,
      name: type.name,
      description: type.description ?? {},
      colour: type.colour,
      icon: type.icon,
      geometry: type.geometry,
      sizeM: type.typical_size_m ?? null,
      sizeLabel: type.typical_size_label ?? {},
      examples: (type.examples ?? []) as LonLat[],
    })),
    imagery: campaign.imagery_layer,
    parts: [
      part("area", outline),
      ...(campaign.leave_out ? [part("leave_out", campaign.leave_out)] : []),
      ...(campaign.priorities ?? []).map(({ area, weight, name }) => part("first", area, name ?? "", weight)),
    ],
    cellZoom: campaign.cell_zoom,
    looksWanted: campaign.looks_wanted,
    startsAt: campaign.starts_at ?? null,
    endsAt: campaign.ends_at ?? null,
    leaseSeconds: campaign.lease_seconds,
    agreementRadiusM: campaign.agreement_radius_m,
  };
}

function languagesOf(campaign: OwnCampaign): string[] {
  const all = [campaign.title, campaign.summary, campaign.instructions, ...campaign.tag_types.map((type) => type.name)];
  return [...new Set([...campaign.languages, ...all.flatMap((texts) => Object.keys(texts ?? {}))])];
}

export const prioritiesOf = (draft: Draft) =>
  partsOf(draft, "first").map(({ geometry, weight, name }) => ({
    area: geometry,
    weight,
    ...(name.trim() ? { name: name.trim() } : {}),
  }));

function typeDefinition(draft: Draft, type: DraftType, key: string): CampaignDefinition["tag_types"][number] {
  return {
    key,
    name: trimmed(draft, type.name),
    description: trimmed(draft, type.description),
    colour: type.colour,
    icon: type.icon,
    geometry: type.geometry,
    typical_size_m: type.sizeM,
    typical_size_label: trimmed(draft, type.sizeLabel),
    examples: type.examples as [],
  };
}

/** The texts in the order of the draft's languages, without the empty ones. */
function trimmed(draft: Draft, texts: Texts): Texts {
  const kept = draft.languages.map((language) => [language, (texts[language] ?? "").trim()] as const);
  return Object.fromEntries(kept.filter(([, text]) => text !== ""));
}
