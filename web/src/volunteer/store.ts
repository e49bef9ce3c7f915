/** What the page knows, as signals; the parts of the page read these and draw themselves. */
import { computed, effect, signal } from "@preact/signals";
import type { Campaign, GeometryKind, IconName, Imagery, Progress, TagType } from "../shared/contract.ts";
import { campaignLanguages, type Localised, pick } from "../shared/locale.ts";
import type { DraftTag, Drawing } from "./draft.ts";
import type { Hold } from "./hold.ts";
import type { LookLog } from "./looklog.ts";
import type { OtherSearch } from "./others.ts";
import type { Counts } from "./outbox.ts";
import type { PlateState } from "./plate.ts";
import type { SendState } from "./sender.ts";
import type { Square } from "./square.ts";

export type { SendState };

/** The server gives no squares at the moment; `message` is what the operators say. */
export interface OnHold {
  kind: Exclude<Hold, "offline">;
  until: number;
  message?: string | undefined;
}

/** Why nothing can be looked at; each has its card. */
export type Block =
  | { kind: "done" }
  /** Others hold the last squares. */
  | { kind: "held" }
  | OnHold
  | { kind: "offline"; until: number }
  | { kind: "trouble"; until: number; request_id?: string | undefined }
  | { kind: "paused"; message: string | null }
  | { kind: "closed" | "not_started" | "missing" };

export type DialogName = "first" | "help" | "menu" | "more" | "keys" | "source" | "mine" | "along";

/** Squares of this search that are on this device for times without a network. */
export interface AlongNumbers {
  /** To look at, with all their images. */
  left: number;
  /** Whose images are not all here. */
  loading: number;
  answered: number;
  /** Packs that the server has not answered yet. */
  unmade: number;
  bytes: number;
  /** Until when the first of them are reserved. */
  expires_at: string | null;
}

/** What this device has done in this campaign. */
export interface Mine {
  looks: number;
  tags: number;
  km2: number;
}

export const campaign = signal<Campaign | null>(null);
effect(() => {
  campaignLanguages.value = campaign.value?.languages ?? [];
});
/** Other searches that need eyes, for whoever has seen all of this one. */
export const others = signal<readonly OtherSearch[]>([]);
export const progress = signal<Progress | null>(null);
export const square = signal<Square | null>(null);
export const tags = signal<readonly DraftTag[]>([]);
/** A line or polygon that is not finished. */
export const drawing = signal<Drawing | null>(null);
export const chosenType = signal<string>("");
export const chosenTag = signal<string | null>(null);
/** Which vertex of the chosen tag has the handle. */
export const chosenVertex = signal<number | null>(null);
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
export const outboxCounts = signal<Counts>({ waiting: 0, unsent: [], refused: [], only_here: 0 });
/** The looks of this device, for "My looks". */
export const lookLog = signal<LookLog | null>(null);
export const isDurable = signal(true);
export const along = signal<AlongNumbers>({
  left: 0,
  loading: 0,
  answered: 0,
  unmade: 0,
  bytes: 0,
  expires_at: null,
});
/** False where nothing can be taken along: no service worker, nothing stored, or a try-out. */
export const mayTakeAlong = signal(false);
export const sendState = signal<SendState>({ kind: "idle" });
export const isLight = signal(false);
export const hasShortcuts = signal(true);
/** True while the overlays are hidden to see the bare image. */
export const isBare = signal(false);
/** True where nothing is stored: the organisers try their campaign out. */
export const isTry = signal(false);
/** Seconds pass: for countdowns. */
export const clock = signal(Date.now());

export const palette = computed<TagType[]>(() => campaign.value?.tag_types ?? []);
/** What the square on the screen is drawn with; between squares the campaign's. */
export const imagery = computed<Imagery | null>(() => square.value?.imagery ?? campaign.value?.imagery ?? null);
export const title = computed<Localised>(() => pick(campaign.value?.title));
export const isReady = computed(() => plateState.value === "ready" && square.value !== null && block.value === null);

const UNKNOWN = { icon: "circle" as IconName, colour: "#FFFFFF", kind: "Point" as GeometryKind };

/** Sign and name of a tag type. */
export function typeOf(key: string): { icon: IconName; colour: string; kind: GeometryKind; name: Localised } {
  const type = campaign.value?.tag_types.find((candidate) => candidate.key === key);
  return type
    ? { icon: type.icon, colour: type.colour, kind: type.geometry, name: pick(type.name) }
    : { ...UNKNOWN, name: { text: key, lang: "" } };
}

let noticeTimer: ReturnType<typeof setTimeout> | undefined;

/** Shows a sentence in the pill for a moment. */
export function notify(sentence: string): void {
  notice.value = sentence;
  clearTimeout(noticeTimer);
  noticeTimer = setTimeout(() => (notice.value = null), 3000);
}
