/**
 * The wizard's state: the draft, where it is kept, the layers, the step.
 *
 * Invariant: `change` is the only way to the draft; each change goes to this device first, then to the server 800 ms
 * after the last one. Only one request of this draft is under way at a time.
 */
import { computed, effect, signal } from "@preact/signals";
import type { Problem } from "../../shared/api.ts";
import type { BBox } from "../../shared/contract.ts";
import { reader } from "../../shared/locale.ts";
import { uuid7 } from "../../shared/uuid7.ts";
import { fetchLayers } from "../imagery.ts";
import { editPath, localPath } from "../route.ts";
import { key, organiserCall } from "../session.ts";
import type { Layer, OwnCampaign } from "./api.ts";
import { bestZoom } from "./cells.ts";
import { type Check, checksOf, STEPS, type Step } from "./checks.ts";
import { definitionOf, draftOf, missing, patchOf, previewOf, type Stored, storedOf } from "./definition.ts";
import { forget, keep, recall, recallAll } from "./device.ts";
import { type Change, changed, type Draft, emptyDraft } from "./draft.ts";
import { estimate, want, wantAgain, wantInstructions } from "./estimate.ts";
import { boxOf } from "./geometry.ts";
import { isUnsaved, next, type Saving, type SavingEvent, start } from "./saving.ts";
import { nextSlug } from "./slug.ts";

const SAVE_DELAY_MS = 800;
const RETRY_MS = 15_000;
const SLUGS_TRIED = 20;

export const draft = signal<Draft>(emptyDraft("", "en"));
export const stored = signal<Stored | null>(null);
export const saving = signal<Saving>(start);
export const layers = signal<readonly Layer[] | null>(null);
export const layersProblem = signal<Problem | null>(null);
export const step = signal<Step>("what");
/** Where the newest campaign is: the likeliest place of the next one, for a map that has nothing else to show. */
export const nearby = signal<BBox | null>(null);
export const opened = signal<"loading" | "ready" | "running" | "missing" | "published" | "trouble">("loading");
export const openProblem = signal<Problem | null>(null);

export const layer = computed(() => layers.value?.find((entry) => entry.key === draft.value.imagery) ?? null);
const box = computed(() => boxOf(draft.value.parts.map((part) => part.geometry)));
/** The latitude for which cells are measured: the middle of the area, else of the imagery. */
export const lat = computed(() => {
  const [, south, , north] = box.value ?? layer.value?.bounds ?? [0, 0, 0, 0];
  return (south + north) / 2;
});
export const cellZoom = computed(() => draft.value.cellZoom ?? bestZoom(layer.value, lat.value));
export const checks = computed<Check[]>(() =>
  checksOf(draft.value, {
    layer: layer.value,
    preview: estimate.value.value,
    isRefused: estimate.value.refusal !== null,
    lat: lat.value,
    now: Date.now(),
  }),
);

export function change(what: Change): void {
  draft.value = changed(draft.value, what);
  // What runs is changed when the organiser says so, and not with every corner that is moved.
  if (opened.value === "running") return;
  tell({ type: "changed", missing: missing(draft.value) });
  void keepHere(true);
  saveSoon(SAVE_DELAY_MS);
}

export const settings = (to: Extract<Change, { what: "settings" }>["to"]) => change({ what: "settings", to });

export function go(to: Step): void {
  step.value = to;
  history.replaceState(null, "", `${location.pathname}${location.search}#${to}`);
}

/** Opens a draft of the server, a draft of this device, or a new one; then keeps everything fresh. */
export async function open(slug: string | null, local: string | null): Promise<void> {
  const fromAddress = location.hash.slice(1) as Step;
  if (STEPS.includes(fromAddress)) step.value = fromAddress;
  void loadLayers();
  void loadNearby();
  if (slug !== null) await openStored(slug);
  else await openLocal(local);
  if (opened.value === "ready") watch();
  if (opened.value === "running") watchEstimate();
}

export async function loadLayers(): Promise<void> {
  try {
    layers.value = await fetchLayers();
    layersProblem.value = null;
  } catch (error) {
    layersProblem.value = error as Problem;
  }
}

async function loadNearby(): Promise<void> {
  const list = await organiserCall<{ campaigns: OwnCampaign[] }>("/v1/campaigns?limit=1").catch(() => null);
  nearby.value = list?.campaigns[0]?.bbox ?? null;
}

/** After a conflict: take what the server has, or write ours over it. */
export async function resolve(how: "theirs" | "ours"): Promise<void> {
  const known = stored.value;
  if (!known) return;
  const theirs = await organiserCall<OwnCampaign>(`/v1/campaigns/${encodeURIComponent(known.slug)}`);
  stored.value = storedOf(theirs);
  if (how === "theirs") {
    draft.value = draftOf(theirs, draft.value.id);
    tell({ type: "loaded", time: Date.parse(theirs.updated_at) });
    await keepHere(false);
  } else {
    tell({ type: "resolved" });
    await keepHere(true);
    saveSoon(0);
  }
}

/** Saves now, if there is anything to save; true when the server has the newest draft. */
export async function saveNow(): Promise<boolean> {
  clearTimeout(timer);
  await save();
  return saving.value.at === "saved";
}

/** After publishing nothing of the draft needs to stay on this device. */
export function forgetDraft(): Promise<void> {
  isPublished = true;
  return forget(draft.value.id);
}

let isPublished = false;

function tell(event: SavingEvent): void {
  saving.value = next(saving.value, event);
}

async function openStored(slug: string): Promise<void> {
  try {
    const campaign = await organiserCall<OwnCampaign>(`/v1/campaigns/${encodeURIComponent(slug)}`);
    if (campaign.state === "closed") {
      opened.value = "published";
      return;
    }
    if (campaign.state !== "draft") {
      (await import("./running.ts")).begin(campaign);
      step.value = "area";
      opened.value = "running";
      return;
    }
    stored.value = storedOf(campaign);
    // The draft's id on this device is the campaign's, so that a second visit finds what was not sent.
    const record = (await recall(campaign.id)) ?? (await recallAll()).find((entry) => entry.stored?.slug === slug);
    if (record?.isUnsaved) {
      draft.value = record.draft;
      tell({ type: "changed", missing: missing(record.draft) });
      if (record.stored && record.stored.version !== campaign.version)
        saving.value = { ...saving.value, at: "conflict" };
      else saveSoon(0);
    } else {
      draft.value = draftOf(campaign, record?.id ?? campaign.id);
      // The files that the parts came from and what was put right are known to this device only.
      if (record && record.stored?.version === campaign.version) draft.value = record.draft;
      tell({ type: "loaded", time: Date.parse(campaign.updated_at) });
    }
    opened.value = "ready";
  } catch (error) {
    openProblem.value = error as Problem;
    opened.value = (error as Problem).status === 404 ? "missing" : "trouble";
    if ((error as Problem).isOffline) await openKept(slug);
  }
}

/** Without a network the copy on this device is as good as any. */
async function openKept(slug: string): Promise<void> {
  const record = (await recallAll()).find((entry) => entry.stored?.slug === slug);
  if (!record) return;
  draft.value = record.draft;
  stored.value = record.stored;
  tell({ type: "changed", missing: missing(record.draft) });
  saveSoon(0);
  opened.value = "ready";
}

async function openLocal(id: string | null): Promise<void> {
  const record = id === null ? null : await recall(id);
  if (record?.stored) {
    location.replace(editPath(record.stored.slug));
    return;
  }
  draft.value = record?.draft ?? emptyDraft(uuid7(), reader.value.locale.split("-")[0] ?? "en");
  if (record) tell({ type: "changed", missing: missing(record.draft) });
  opened.value = "ready";
  if (record) saveSoon(0);
}

function watchEstimate(): void {
  effect(() =>
    want(
      previewOf(
        draft.value,
        cellZoom.value,
        (layers.value ?? []).map((entry) => entry.key),
      ),
    ),
  );
}

function watch(): void {
  watchEstimate();
  effect(() => wantInstructions(draft.value.instructions));
  const again = () => {
    if (saving.value.at === "offline" || saving.value.at === "trouble") void save();
    if (layers.value === null) void loadLayers();
    wantAgain();
  };
  addEventListener("online", again);
  setInterval(again, RETRY_MS);
  addEventListener("pagehide", () => {
    if (saving.value.at !== "start" && !isPublished) void keepHere(saving.value.at !== "saved");
  });
}

/** The address in the bar opens this draft again, from the first word on. */
function nameAddress(): void {
  const address = new URL(stored.value ? editPath(stored.value.slug) : localPath(draft.value.id), location.origin);
  const asked = new URLSearchParams(location.search).get("lang");
  if (asked) address.searchParams.set("lang", asked);
  const path = address.pathname + address.search;
  if (location.pathname + location.search !== path) history.replaceState(null, "", `${path}#${step.value}`);
}

async function keepHere(isNewer: boolean): Promise<void> {
  nameAddress();
  const isKept = await keep({
    id: draft.value.id,
    draft: draft.value,
    stored: stored.value,
    isUnsaved: isNewer,
    changedAt: Date.now(),
  });
  if (isKept !== saving.value.isKept) tell({ type: "kept", isKept });
}

let timer: ReturnType<typeof setTimeout> | undefined;
let underWay: Promise<void> | null = null;

function saveSoon(delayMs: number): void {
  clearTimeout(timer);
  timer = setTimeout(() => void save(), delayMs);
}

async function save(): Promise<void> {
  // A second request would be refused for its version, so it waits for the first.
  while (underWay) await underWay;
  if (!isUnsaved(saving.value) || !key.value || missing(draft.value).length) return;
  // Without the layers the fitting cell size is not known.
  if (draft.value.cellZoom === null && layers.value === null) return saveSoon(SAVE_DELAY_MS);
  underWay = send().finally(() => {
    underWay = null;
  });
  await underWay;
}

async function send(): Promise<void> {
  const { change: mine } = saving.value;
  tell({ type: "sent" });
  try {
    const answer = await sendDefinition();
    stored.value = storedOf(answer);
    tell({ type: "stored", change: mine, time: Date.now() });
    await keepHere(saving.value.at !== "saved");
  } catch (error) {
    tell({ type: "failed", change: mine, problem: error as Problem });
  }
}

async function sendDefinition(): Promise<OwnCampaign> {
  const definition = definitionOf(draft.value, cellZoom.value);
  const known = stored.value;
  // A name that nobody chose may get a number behind it.
  const mayCount = !draft.value.isSlugOwn;
  for (let tries = 0; ; tries++) {
    try {
      const answer = await sendOnce(definition, known);
      if (tries > 0) draft.value = changed(draft.value, ownSlug(definition.slug));
      return answer;
    } catch (error) {
      const isTaken = (error as Problem).body.code === "slug_taken";
      if (!isTaken || !mayCount || tries >= SLUGS_TRIED) throw error;
      definition.slug = nextSlug(definition.slug);
    }
  }
}

const ownSlug = (slug: string): Change => ({ what: "settings", to: { slug, isSlugOwn: true } });

function sendOnce(definition: ReturnType<typeof definitionOf>, known: Stored | null): Promise<OwnCampaign> {
  if (!known) return organiserCall<OwnCampaign>("/v1/campaigns", { method: "POST", body: definition });
  return organiserCall<OwnCampaign>(`/v1/campaigns/${encodeURIComponent(known.slug)}`, {
    method: "PATCH",
    body: patchOf(definition, known.texts),
    version: known.version,
  });
}
