/**
 * What the organiser's page knows, and how it stays fresh.
 *
 * Invariant: a number once shown stays until a newer one comes, and the page says when it is old; the key lives in
 * this tab only.
 */
import { signal } from "@preact/signals";
import { call, type Problem } from "../shared/api.ts";
import type { Campaign, Progress, TagFeature, TagPage } from "../shared/contract.ts";

const EVERY_MS = 5000;
const TAGS_A_PAGE = 1000;
const MOST_PAGES = 200;
const KEY = "spotter.organiser_key";

export const slug = decodeURIComponent(location.pathname.split("/")[2] ?? "");
export const path = `/v1/campaigns/${encodeURIComponent(slug)}`;

export const campaign = signal<Campaign | null>(null);
export const progress = signal<Progress | null>(null);
/** When the numbers were true, by this device's clock. */
export const asOf = signal<number | null>(null);
export const tags = signal<readonly TagFeature[]>([]);
export const key = signal<string | null>(null);
export const isKeyWrong = signal(false);
export const failure = signal<Problem | null>(null);
export const clock = signal(Date.now());
/** Counts the rounds; the map refreshes its cells with it. */
export const round = signal(0);

/** Takes the key from the fragment, and removes it from the address bar at once. */
function keyFromAddress(): string | null {
  const found = /^#key=(.+)$/.exec(location.hash)?.[1];
  if (!found) return sessionStorage.getItem(KEY);
  history.replaceState(null, "", location.pathname + location.search);
  return decodeURIComponent(found);
}

export function signIn(value: string): void {
  key.value = value.trim() || null;
  isKeyWrong.value = false;
  if (key.value) sessionStorage.setItem(KEY, key.value);
  void refresh();
}

export function signOut(): void {
  key.value = null;
  tags.value = [];
  sessionStorage.removeItem(KEY);
}

/** Newest first, until a known tag appears; the first time that is all of them. */
async function refreshTags(): Promise<void> {
  if (!key.value) return;
  const known = new Set(tags.value.map((tag) => tag.id));
  const fresh: TagFeature[] = [];
  let next: string | null | undefined = `${path}/tags?limit=${known.size ? 100 : TAGS_A_PAGE}`;
  for (let page = 0; next && page < MOST_PAGES; page++) {
    const answer: TagPage = await call<TagPage>(next, { token: key.value });
    const unknown = answer.features.filter((tag) => !known.has(tag.id));
    fresh.push(...unknown);
    if (unknown.length < answer.features.length) break;
    next = answer.next;
  }
  if (fresh.length) tags.value = [...fresh, ...tags.value];
}

let isRefreshing = false;

export async function refresh(): Promise<void> {
  if (isRefreshing) return;
  isRefreshing = true;
  let isAgain = false;
  try {
    campaign.value ??= await call<Campaign>(path, { token: key.value });
    const answer = await call<Progress>(`${path}/progress`, { token: key.value });
    progress.value = answer;
    asOf.value = Date.now() - answer.lag_seconds * 1000;
    if (answer.state !== campaign.value.state) campaign.value = { ...campaign.value, state: answer.state };
    await refreshTags();
    failure.value = null;
    round.value += 1;
  } catch (error) {
    const problem = error as Problem;
    const isRefused = key.value !== null && (problem.status === 401 || problem.status === 403);
    if (!isRefused) {
      failure.value = problem;
      return;
    }
    signOut();
    isKeyWrong.value = true;
    isAgain = true;
  } finally {
    isRefreshing = false;
  }
  // Without the key the public numbers still come.
  if (isAgain) await refresh();
}

export function start(): void {
  const found = keyFromAddress();
  if (found) sessionStorage.setItem(KEY, found);
  key.value = found;
  setInterval(() => (clock.value = Date.now()), 1000);
  setInterval(() => document.visibilityState === "visible" && void refresh(), EVERY_MS);
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && void refresh());
  void refresh();
}
