/** What the page knows, as signals; the parts of the page read these and draw themselves. */
import { computed, signal } from "@preact/signals";
import type { Campaign, IconName, LonLat, Progress, TagType } from "../shared/contract.ts";
import { type Localised, pick } from "../shared/locale.ts";
import type { Counts } from "./outbox.ts";
import type { PlateState } from "./plate.ts";
import type { SendState } from "./sender.ts";
import type { Square } from "./square.ts";

export interface DraftTag {
  id: string;
  type: string;
  at: LonLat;
  note: string;
}

/** Why nothing can be looked at; each has its card. */
export type Block =
  | { kind: "done"; all: boolean }
  /** Others hold the last squares. */
  | { kind: "held" }
  | { kind: "busy" | "offline" | "trouble"; until: number; request_id?: string | undefined }
  | { kind: "paused"; message: string | null }
  | { kind: "closed" | "not_started" | "missing" };

export type DialogName = "first" | "help" | "menu" | "more" | "keys" | "source";

/** What this device has done in this campaign. */
export interface Mine {
  looks: number;
  tags: number;
  km2: number;
}

export const campaign = signal<Campaign | null>(null);
export const progress = signal<Progress | null>(null);
export const square = signal<Square | null>(null);
export const tags = signal<readonly DraftTag[]>([]);
export const chosenType = signal<string>("");
export const chosenTag = signal<string | null>(null);
export const plateState = signal<PlateState>("loading");
/** True once an image took longer than people notice. */
export const isSlow = signal(false);
export const canUndo = signal(false);
/** True once a square was on the screen in this visit. */
export const hasLooked = signal(false);
export const dialog = signal<DialogName | null>(null);
export const block = signal<Block | null>(null);
/** A short sentence for the pill, shown for a few seconds. */
export const notice = signal<string | null>(null);
/** The sentence for screen readers. */
export const announcement = signal("");
export const mine = signal<Mine>({ looks: 0, tags: 0, km2: 0 });
export const outboxCounts = signal<Counts>({ waiting: 0, refused: [], only_here: 0 });
export const isDurable = signal(true);
export const sendState = signal<SendState>({ kind: "idle" });
export const isLight = signal(false);
export const hasShortcuts = signal(true);
/** True while the overlays are hidden to see the bare image. */
export const isBare = signal(false);
/** Seconds pass: for countdowns. */
export const clock = signal(Date.now());

/** The tag types that can be placed with one tap. */
export const palette = computed<TagType[]>(
  () => campaign.value?.tag_types.filter((type) => type.geometry === "Point") ?? [],
);
export const title = computed<Localised>(() => pick(campaign.value?.title));
export const isReady = computed(() => plateState.value === "ready" && square.value !== null && block.value === null);

const UNKNOWN = { icon: "circle" as IconName, colour: "#FFFFFF" };

/** Sign and name of a tag type. */
export function typeOf(key: string): { icon: IconName; colour: string; name: Localised } {
  const type = campaign.value?.tag_types.find((candidate) => candidate.key === key);
  return type
    ? { icon: type.icon, colour: type.colour, name: pick(type.name) }
    : { ...UNKNOWN, name: { text: key, lang: "" } };
}

let noticeTimer: ReturnType<typeof setTimeout> | undefined;

/** Shows a sentence in the pill for a moment. */
export function notify(sentence: string): void {
  notice.value = sentence;
  clearTimeout(noticeTimer);
  noticeTimer = setTimeout(() => (notice.value = null), 3000);
}
