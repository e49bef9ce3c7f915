/**
 * The organiser's campaigns, page by page, with the drafts that only this device has.
 *
 * Invariant: what is shown stays until something newer comes; every loaded page is asked for again together, so that
 * numbers of one moment stand side by side.
 */
import { signal } from "@preact/signals";
import type { Problem } from "../../shared/api.ts";
import type { Campaign } from "../../shared/contract.ts";
import type { Activity } from "../../shared/openapi.ts";
import { organiserCall } from "../session.ts";
import { type DraftRecord, forget, recallAll } from "../wizard/device.ts";

const EVERY_MS = 10_000;
const PAGE = 50;
const FIRST = `/v1/campaigns?limit=${PAGE}`;

export type Entry = Campaign & { activity?: Activity | null };

interface Page {
  campaigns: Entry[];
  next?: string | null;
}

/** Null until the first answer. */
export const campaigns = signal<readonly Entry[] | null>(null);
export const next = signal<string | null>(null);
export const failure = signal<Problem | null>(null);
/** Drafts that the server has never seen. */
export const localDrafts = signal<readonly DraftRecord[]>([]);
export const clock = signal(Date.now());

let pages = 1;

/** Keeps the list fresh until the returned function is called. */
export function startList(): () => void {
  const again = () => {
    clock.value = Date.now();
    if (document.visibilityState === "visible") void refresh();
  };
  void refresh();
  const timer = setInterval(again, EVERY_MS);
  document.addEventListener("visibilitychange", again);
  return () => {
    clearInterval(timer);
    document.removeEventListener("visibilitychange", again);
  };
}

export async function refresh(): Promise<void> {
  localDrafts.value = (await recallAll()).filter((record) => record.stored === null);
  try {
    const found: Entry[] = [];
    let address: string | null = FIRST;
    for (let i = 0; i < pages && address !== null; i++) {
      const page: Page = await organiserCall<Page>(address);
      found.push(...page.campaigns);
      address = page.next ?? null;
    }
    campaigns.value = found;
    next.value = address;
    failure.value = null;
    clock.value = Date.now();
  } catch (error) {
    failure.value = error as Problem;
  }
}

export async function more(): Promise<void> {
  pages += 1;
  await refresh();
}

const path = (slug: string) => `/v1/campaigns/${encodeURIComponent(slug)}`;

/** The slug of the copy, which is a draft. */
export async function clone(slug: string): Promise<string> {
  return (await organiserCall<Campaign>(`${path(slug)}/clone`, { method: "POST", body: {} })).slug;
}

export async function removeDraft({ slug, version }: Entry): Promise<void> {
  await organiserCall(path(slug), { method: "DELETE", version });
  for (const record of await recallAll()) if (record.stored?.slug === slug) await forget(record.id);
  await refresh();
}

export async function removeLocal(id: string): Promise<void> {
  await forget(id);
  await refresh();
}
