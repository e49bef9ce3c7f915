/** Small things kept on this device: counts, switches, whether the first sheet was seen. */
import { hasShortcuts, isLight, isTry, type Mine, mine } from "./store.ts";

function read(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

/** Stores or, with null, forgets. Where storage is forbidden the page simply forgets at its end. */
export function write(key: string, value: string | null): void {
  if (isTry.value) return;
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch {
    // Nothing depends on it.
  }
}

const mineKey = (campaignId: string) => `spotter.mine.${campaignId}`;

export function loadMine(campaignId: string): void {
  const stored = isTry.value ? null : read(mineKey(campaignId));
  mine.value = stored ? (JSON.parse(stored) as Mine) : { looks: 0, tags: 0, km2: 0 };
}

export function addToMine(campaignId: string, change: Mine): void {
  // Another tab may have counted meanwhile.
  if (read(mineKey(campaignId))) loadMine(campaignId);
  const { looks, tags, km2 } = mine.value;
  mine.value = { looks: looks + change.looks, tags: tags + change.tags, km2: Math.max(0, km2 + change.km2) };
  write(mineKey(campaignId), JSON.stringify(mine.value));
}

export function isFirstVisit(campaignId: string): boolean {
  return read(`spotter.seen.${campaignId}`) === null;
}

export function markSeen(campaignId: string): void {
  write(`spotter.seen.${campaignId}`, "1");
}

export function loadSwitches(): void {
  isLight.value = read("spotter.light") !== null;
  hasShortcuts.value = read("spotter.shortcuts") !== "off";
}

export function setLight(on: boolean): void {
  isLight.value = on;
  write("spotter.light", on ? "1" : null);
  document.documentElement.dataset.theme = on ? "light" : "dark";
}

export function setShortcuts(on: boolean): void {
  hasShortcuts.value = on;
  write("spotter.shortcuts", on ? null : "off");
}
