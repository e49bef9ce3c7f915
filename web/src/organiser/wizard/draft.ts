/**
 * A campaign while it is being written, and every change that can be made to it.
 *
 * Invariant: a draft may lack anything, but never contradicts itself: there is always a first language, ids are unique,
 * weights and looks lie within the API's limits. `changed` is pure; nothing else writes a draft.
 */
import type { GeometryKind, IconName, LonLat, MultiPolygon, Texts } from "../../shared/contract.ts";

export const LOOKS_MOST = 15;
export const WEIGHT_MOST = 10;
export const TYPES_MOST = 32;
export const ICONS: readonly IconName[] = [
  "triangle",
  "circle",
  "square",
  "diamond",
  "hexagon",
  "pentagon",
  "cross",
  "star",
];
export const COLOURS: readonly string[] = [
  "#F5330F",
  "#6CCEEF",
  "#DD64A4",
  "#079E69",
  "#FEE346",
  "#2B2FD4",
  "#FFFFFF",
  "#57301A",
];

export interface DraftType {
  id: string;
  /** Empty while it follows from the name. */
  key: string;
  name: Texts;
  description: Texts;
  colour: string;
  icon: IconName;
  geometry: GeometryKind;
  sizeM: number | null;
  sizeLabel: Texts;
  examples: LonLat[];
}

export type PartKind = "area" | "leave_out" | "first";

/** What is said of the file that a part came from. */
export interface FileFacts {
  name: string;
  polygons: number;
  points: number;
  holes: number;
}

/** What the server put right in a part, and where. */
export interface Repair {
  text: string;
  place: LonLat | null;
}

export interface Part {
  id: string;
  kind: PartKind;
  name: string;
  weight: number;
  geometry: MultiPolygon;
  file: FileFacts | null;
  repairs: Repair[];
}

export type TextField = "title" | "summary" | "instructions";

export interface Draft {
  id: string;
  /** The first one is what everybody gets who reads none of the others. */
  languages: string[];
  title: Texts;
  summary: Texts;
  instructions: Texts;
  slug: string;
  /** False while the slug follows the title. */
  isSlugOwn: boolean;
  types: DraftType[];
  imagery: string | null;
  parts: Part[];
  /** Null: what fits the imagery best. */
  cellZoom: number | null;
  looksWanted: number;
  startsAt: string | null;
  endsAt: string | null;
  leaseSeconds: number;
  agreementRadiusM: number;
}

export type Settings = Pick<
  Draft,
  | "slug"
  | "isSlugOwn"
  | "imagery"
  | "cellZoom"
  | "looksWanted"
  | "startsAt"
  | "endsAt"
  | "leaseSeconds"
  | "agreementRadiusM"
>;

export type Change =
  | { what: "text"; field: TextField; language: string; text: string }
  | { what: "add_language"; language: string }
  | { what: "remove_language"; language: string }
  | { what: "add_type"; id: string }
  | { what: "edit_type"; id: string; to: Partial<Omit<DraftType, "id">> }
  | { what: "remove_type"; id: string }
  | { what: "move_type"; id: string; to: number }
  | { what: "add_parts"; parts: Part[] }
  | { what: "edit_part"; id: string; to: Partial<Omit<Part, "id" | "kind">> }
  | { what: "remove_part"; id: string }
  | { what: "settings"; to: Partial<Settings> };

export function emptyDraft(id: string, language: string): Draft {
  return {
    id,
    languages: [language],
    title: {},
    summary: {},
    instructions: {},
    slug: "",
    isSlugOwn: false,
    types: [],
    imagery: null,
    parts: [],
    cellZoom: null,
    looksWanted: 5,
    startsAt: null,
    endsAt: null,
    leaseSeconds: 900,
    agreementRadiusM: 10,
  };
}

/** A tag type with the first shape and colour that no other has. */
export function newType(id: string, others: readonly DraftType[]): DraftType {
  const free = ICONS.findIndex(
    (icon, i) => !others.some((type) => type.icon === icon || type.colour.toUpperCase() === COLOURS[i]),
  );
  const nth = free === -1 ? others.length % ICONS.length : free;
  return {
    id,
    key: "",
    name: {},
    description: {},
    colour: COLOURS[nth]!,
    icon: ICONS[nth]!,
    geometry: "Point",
    sizeM: null,
    sizeLabel: {},
    examples: [],
  };
}

export function changed(draft: Draft, change: Change): Draft {
  switch (change.what) {
    case "text":
      return { ...draft, [change.field]: withText(draft[change.field], change.language, change.text) };
    case "add_language":
      if (draft.languages.includes(change.language)) return draft;
      return { ...draft, languages: [...draft.languages, change.language] };
    case "remove_language":
      return withoutLanguage(draft, change.language);
    case "add_type":
      if (draft.types.length >= TYPES_MOST) return draft;
      return { ...draft, types: [...draft.types, newType(change.id, draft.types)] };
    case "edit_type":
      return { ...draft, types: draft.types.map((type) => (type.id === change.id ? { ...type, ...change.to } : type)) };
    case "remove_type":
      return { ...draft, types: draft.types.filter((type) => type.id !== change.id) };
    case "move_type":
      return { ...draft, types: moved(draft.types, change.id, change.to) };
    case "add_parts":
      return { ...draft, parts: [...draft.parts, ...change.parts] };
    case "edit_part":
      return { ...draft, parts: draft.parts.map((part) => (part.id === change.id ? edited(part, change.to) : part)) };
    case "remove_part":
      return { ...draft, parts: draft.parts.filter((part) => part.id !== change.id) };
    case "settings":
      return { ...draft, ...change.to, looksWanted: limited(change.to.looksWanted ?? draft.looksWanted, LOOKS_MOST) };
  }
}

/** An empty text is no text: the language falls back to the first one. */
export function withText(texts: Texts, language: string, text: string): Texts {
  const { [language]: _, ...others } = texts;
  return text === "" ? others : { ...others, [language]: text };
}

/** The text in the draft's first language, else any. */
export const mainText = (draft: Pick<Draft, "languages">, texts: Texts): string =>
  texts[draft.languages[0]!] ?? Object.values(texts)[0] ?? "";

/** The type whose size the volunteers see on the scale bar. */
export const sizedType = (draft: Draft): DraftType | undefined => draft.types.find((type) => type.sizeM !== null);

function withoutLanguage(draft: Draft, language: string): Draft {
  if (draft.languages.length < 2) return draft;
  const drop = (texts: Texts) => withText(texts, language, "");
  return {
    ...draft,
    languages: draft.languages.filter((other) => other !== language),
    title: drop(draft.title),
    summary: drop(draft.summary),
    instructions: drop(draft.instructions),
    types: draft.types.map((type) => ({
      ...type,
      name: drop(type.name),
      description: drop(type.description),
      sizeLabel: drop(type.sizeLabel),
    })),
  };
}

function moved(types: readonly DraftType[], id: string, to: number): DraftType[] {
  const type = types.find((other) => other.id === id);
  if (!type) return [...types];
  const others = types.filter((other) => other.id !== id);
  const at = Math.min(Math.max(0, to), others.length);
  return [...others.slice(0, at), type, ...others.slice(at)];
}

function edited(part: Part, to: Partial<Omit<Part, "id" | "kind">>): Part {
  return { ...part, ...to, weight: limited(to.weight ?? part.weight, WEIGHT_MOST) };
}

const limited = (value: number, most: number): number => Math.min(most, Math.max(1, Math.round(value)));
