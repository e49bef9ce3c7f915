/**
 * Changing where a campaign is searched, and what first, while it runs.
 *
 * Invariant: nothing is sent before it is applied, and then only what differs: what is not named stays on the server to
 * the last digit.
 */
import { computed, signal } from "@preact/signals";
import { Problem } from "../../shared/api.ts";
import { organiserCall } from "../session.ts";
import type { OwnCampaign } from "./api.ts";
import { draftOf, joined, partsOf, prioritiesOf, storedOf } from "./definition.ts";
import type { Draft } from "./draft.ts";
import { selected } from "./mapview.ts";
import { draft, stored } from "./state.ts";

export type Applying =
  | { at: "none" }
  | { at: "sending" }
  | { at: "done"; time: number }
  | { at: "refused"; problem: Problem }
  /** Somebody else has changed the same meanwhile. */
  | { at: "overtaken" };

/** What the server has, as a draft. */
export const before = signal<Draft | null>(null);
export const applying = signal<Applying>({ at: "none" });

/** The members of the campaign in which the two differ, as a merge patch; empty when there are none. */
export function searchPatchOf(now: Draft, was: Draft): Record<string, unknown> {
  const patch: Record<string, unknown> = {};
  const put = (name: string, of: (of: Draft) => unknown) => {
    if (JSON.stringify(of(now)) !== JSON.stringify(of(was))) patch[name] = of(now);
  };
  put("area", (of) => joined(partsOf(of, "area")));
  put("leave_out", (of) => joined(partsOf(of, "leave_out")));
  put("priorities", prioritiesOf);
  return patch;
}

/** The first cell that a refusal names, to be shown on the map. */
export const cellIn = (text: string): string | null => /\b\d{1,2}\/\d+\/\d+\b/.exec(text)?.[0] ?? null;

const patch = computed(() => (before.value ? searchPatchOf(draft.value, before.value) : {}));
export const isChanged = computed(() => Object.keys(patch.value).length > 0);
/** A campaign without an area cannot be. */
export const isWhole = computed(() => partsOf(draft.value, "area").length > 0);

export function begin(campaign: OwnCampaign): void {
  stored.value = storedOf(campaign);
  draft.value = draftOf(campaign, campaign.id);
  before.value = draft.value;
  selected.value = null;
}

/** Back to what the server has. */
export function drop(): void {
  if (before.value) draft.value = before.value;
  selected.value = null;
  applying.value = { at: "none" };
}

const address = () => `/v1/campaigns/${encodeURIComponent(stored.value!.slug)}`;
const send = () =>
  organiserCall<OwnCampaign>(address(), { method: "PATCH", body: patch.value, version: stored.value!.version });

export async function apply(): Promise<void> {
  applying.value = { at: "sending" };
  try {
    if (!(await sendOver())) {
      applying.value = { at: "overtaken" };
      return;
    }
    begin(await organiserCall<OwnCampaign>(address()));
    applying.value = { at: "done", time: Date.now() };
  } catch (error) {
    applying.value = { at: "refused", problem: error as Problem };
  }
}

/** Other changes, as decisions about cells, make new versions too; only one of the same is in the way. */
async function sendOver(): Promise<boolean> {
  try {
    await send();
  } catch (error) {
    if (!(error instanceof Problem) || error.status !== 412) throw error;
    const theirs = await organiserCall<OwnCampaign>(address());
    if (Object.keys(searchPatchOf(draftOf(theirs, theirs.id), before.value!)).length > 0) return false;
    stored.value = storedOf(theirs);
    await send();
  }
  return true;
}
