/**
 * "My looks": what this device did in this campaign, with the tags that the server has of it.
 *
 * Invariant: a tag is shown as withdrawn only after the server said so.
 */
import { signal } from "@preact/signals";
import { Problem } from "../shared/api.ts";
import type { TagFeature, TagPage } from "../shared/contract.ts";
import type { Logged } from "./looklog.ts";
import { addToMine } from "./remember.ts";
import * as store from "./store.ts";
import { callAsVolunteer } from "./volunteer.ts";

const PAGE = 200;
/** More of one's own tags than these are not worth the wait. */
const PAGES_MOST = 5;

export type Withdrawal = "done" | "changed" | "closed" | { why: string };

export const looks = signal<Logged[] | null>(null);
/** Own tags by look; null until they came, "failed" when they did not. */
export const sentTags = signal<Map<string, TagFeature[]> | null | "failed">(null);

const tagsPath = (slug: string) => `/v1/campaigns/${encodeURIComponent(slug)}/tags`;

/** Fetches both anew. */
export async function openMine(slug: string): Promise<void> {
  looks.value = (await store.lookLog.value?.of(slug)) ?? [];
  if (!looks.value.some(({ tags }) => tags > 0)) return;
  try {
    sentTags.value = byLook(await ownTags(slug));
  } catch {
    sentTags.value = "failed";
  }
}

export function byLook(features: readonly TagFeature[]): Map<string, TagFeature[]> {
  const found = new Map<string, TagFeature[]>();
  for (const feature of features) {
    const look = feature.properties.look_id;
    found.set(look, [...(found.get(look) ?? []), feature]);
  }
  return found;
}

async function ownTags(slug: string): Promise<TagFeature[]> {
  const found: TagFeature[] = [];
  let path: string | null = `${tagsPath(slug)}?volunteer=me&limit=${PAGE}`;
  for (let page = 0; path && page < PAGES_MOST; page++) {
    const answer: TagPage = await callAsVolunteer<TagPage>(path);
    found.push(...answer.features);
    path = answer.next ?? null;
  }
  return found;
}

/** Withdraws a sent tag. */
export async function withdraw(slug: string, tag: TagFeature): Promise<Withdrawal> {
  try {
    await callAsVolunteer(`${tagsPath(slug)}/${tag.id}`, { method: "DELETE", version: tag.properties.revision });
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    if (error.status === 412) {
      await openMine(slug);
      return "changed";
    }
    if (error.body.code === "campaign_closed") return "closed";
    // Gone already is as good as withdrawn.
    if (error.status !== 404) return { why: error.message };
  }
  forget(tag);
  addToMine(store.campaign.value!.id, { looks: 0, tags: -1, km2: 0 });
  return "done";
}

function forget({ id, properties: { look_id } }: TagFeature): void {
  if (!(sentTags.value instanceof Map)) return;
  const left = new Map(sentTags.value);
  left.set(
    look_id,
    (left.get(look_id) ?? []).filter((tag) => tag.id !== id),
  );
  sentTags.value = left;
}
