/**
 * The first seconds of the volunteer's page: gets campaign, token and squares, and lays the first square's
 * tiles as plain images, before the app and MapLibre have arrived.
 *
 * Invariant: inlined into the page and ≤ 4 KB; every failure is left to the app, which asks again.
 */
import "./critical.css";
import type { Assignment, Assignments, Campaign } from "../shared/contract.ts";
import { fitZoom, parseCell, sourceTileSize, tilesOfCell, tileUrl, tileZoom } from "../shared/tiles.ts";
import { inTurns, tilesAtOnce } from "../shared/turns.ts";
import { measure } from "./frame.ts";
import { type KeptSquare, readSlot, takeSlot } from "./slot.ts";

export interface Volunteer {
  volunteer_id: string;
  token: string;
}

export interface Boot {
  slug: string;
  /** True for a try-out, which the app begins by itself. */
  isTry: boolean;
  campaign: Promise<Campaign>;
  volunteer: Promise<Volunteer>;
  /** What this tab had before a reload or a crash; null too while another tab may have it. */
  kept: Promise<KeptSquare[] | null>;
  /** New squares; null when those of before are gone on with. */
  assignments: Promise<Assignments | null>;
  /** When the first square's images are on the screen, or there are none. */
  firstImage: Promise<unknown>;
}

declare global {
  interface Window {
    spotterBoot: Boot;
  }
}

/** The app's scripts in /assets, the first of which starts it; put in by the build. */
declare const LATER: string[];

const FIRST_SQUARES = 3;
/** The answers of the API go before the scripts, which then fill the time until the first tile comes. */
const SCRIPTS_AFTER_MS = 30;
/** With fewer tiles than these a coarse picture of the whole square would only delay them. */
const COARSE_FROM_TILES = 16;

async function get<T>(path: string, init?: RequestInit): Promise<T> {
  const response = await fetch(path, init);
  // The app reads from it why, and when to ask again.
  if (!response.ok) throw response;
  return (await response.json()) as T;
}

function remembered(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

async function keptBefore(slug: string): Promise<KeptSquare[] | null> {
  // A first visit has nothing to wait for.
  return readSlot(slug, 0).length && (await takeSlot(slug, 0)) ? readSlot(slug, 0) : null;
}

/** Squares for the volunteer of this device; who has no token yet is signed up by the same request. */
async function deal(base: string, stored: string | null): Promise<Assignments> {
  const headers: HeadersInit = { "Content-Type": "application/json" };
  if (stored) headers.Authorization = `Bearer ${(JSON.parse(stored) as Volunteer).token}`;
  const body = JSON.stringify({ count: FIRST_SQUARES });
  const dealt = await get<Assignments>(`${base}/assignments`, { method: "POST", headers, body });
  try {
    if (dealt.volunteer) localStorage.setItem("spotter.volunteer", JSON.stringify(dealt.volunteer));
  } catch {
    // Storage is forbidden here: the token lives as long as the page.
  }
  return dealt;
}

function layFirstSquare(campaign: Campaign, first: Assignment | undefined): Promise<unknown> | undefined {
  if (!first || document.documentElement.dataset.app) return;
  const imagery = first.imagery ?? campaign.imagery;
  const stage = document.getElementById("stage")!;
  const frame = measure(stage);
  const cell = parseCell(first.cell);
  const z = tileZoom(
    fitZoom(cell.z, frame.cell),
    sourceTileSize(imagery.tile_size, devicePixelRatio),
    imagery.min_zoom,
    imagery.max_zoom,
  );
  const plate = document.createElement("div");
  plate.className = "plate";
  const left = Math.round((frame.width - frame.cell) / 2);
  const top = Math.round(frame.height / 2 - frame.up - frame.cell / 2);
  plate.style.cssText = `width:${frame.cell}px;height:${frame.cell}px;transform:translate(${left}px,${top}px)`;
  const lay = (zoom: number) => {
    const side = 100 / 2 ** Math.max(0, zoom - cell.z);
    return inTurns([...tilesOfCell(cell, zoom).entries()], tilesAtOnce(), ([i, tile]) => {
      const image = new Image();
      const left = i * side;
      image.alt = "";
      image.fetchPriority = "high";
      image.src = tileUrl(imagery.tiles, tile);
      image.style.cssText = `left:${left % 100}%;top:${Math.floor(left / 100) * side}%;width:${side}%;height:${side}%`;
      plate.append(image);
      return image.decode();
    });
  };
  if (4 ** (z - cell.z) >= COARSE_FROM_TILES) void lay(cell.z);
  stage.querySelector(".plates")!.append(plate);
  return lay(z);
}

function loadApp(): void {
  const [entry, ...others] = LATER.map((name) => `/assets/${name}`);
  const add = (element: string, how: object) =>
    document.head.append(Object.assign(document.createElement(element), how));
  if (entry) add("script", { type: "module", src: entry });
  for (const href of others) add("link", { rel: "modulepreload", href });
}

function boot(): void {
  const slug = decodeURIComponent(location.pathname.split("/")[2] ?? "");
  const base = `/v1/campaigns/${encodeURIComponent(slug)}`;
  const isTry = new URLSearchParams(location.search).has("try");
  const never = new Promise<never>(() => {});
  const campaign = isTry ? never : get<Campaign>(`${base}?area=false`);
  const stored = remembered("spotter.volunteer");
  const kept = isTry ? never : keptBefore(slug);
  const assignments = kept.then((known) => (known ? null : deal(base, stored)));
  const volunteer = stored ? Promise.resolve(JSON.parse(stored) as Volunteer) : assignments.then((a) => a!.volunteer!);
  if (remembered("spotter.light")) document.documentElement.dataset.theme = "light";
  const parsed = new Promise((resolve) => addEventListener("DOMContentLoaded", resolve));
  const firstImage = Promise.all([campaign, assignments, kept, parsed]).then(([c, dealt, before]) =>
    layFirstSquare(c, before?.[0]?.assignment ?? dealt?.assignments[0]),
  );
  window.spotterBoot = { slug, isTry, campaign, volunteer, kept, assignments, firstImage };
  for (const promise of [campaign, volunteer, assignments, firstImage]) promise.catch(() => {});
  setTimeout(loadApp, SCRIPTS_AFTER_MS);
}

boot();
