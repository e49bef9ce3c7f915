/**
 * The first seconds of the volunteer's page: gets campaign, token and squares, and lays the first square's
 * tiles as plain images, before the app and MapLibre have arrived.
 *
 * Invariant: inlined into the page and ≤ 4 KB; every failure is left to the app, which asks again.
 */
import "./critical.css";
import type { Assignments, Campaign } from "../shared/contract.ts";
import { fitZoom, parseCell, sourceTileSize, tilesOfCell, tileUrl, tileZoom } from "../shared/tiles.ts";
import { measure } from "./frame.ts";

export interface Volunteer {
  volunteer_id: string;
  token: string;
}

export interface Boot {
  slug: string;
  campaign: Promise<Campaign>;
  volunteer: Promise<Volunteer>;
  assignments: Promise<Assignments>;
}

declare global {
  interface Window {
    spotterBoot: Boot;
  }
}

const FIRST_SQUARES = 3;

async function get<T>(path: string, init?: RequestInit): Promise<T> {
  const response = await fetch(path, init);
  if (!response.ok) throw new Error(String(response.status));
  return (await response.json()) as T;
}

function remembered(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

async function enrol(): Promise<Volunteer> {
  const stored = remembered("spotter.volunteer");
  if (stored) return JSON.parse(stored) as Volunteer;
  const volunteer = await get<Volunteer>("/v1/volunteers", { method: "POST" });
  try {
    localStorage.setItem("spotter.volunteer", JSON.stringify(volunteer));
  } catch {
    // Storage is forbidden here: the token lives as long as the page.
  }
  return volunteer;
}

function layFirstSquare(campaign: Campaign, { assignments }: Assignments): void {
  const first = assignments[0];
  if (!first || document.documentElement.dataset.app) return;
  const { imagery } = campaign;
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
  Object.assign(plate.style, {
    width: `${frame.cell}px`,
    height: `${frame.cell}px`,
    transform: `translate(${left}px,${top}px)`,
  });
  // One coarse tile first: it shows the whole square while the sharp ones come.
  for (const zoom of z > cell.z ? [cell.z, z] : [z]) {
    const n = 2 ** Math.max(0, zoom - cell.z);
    tilesOfCell(cell, zoom).forEach((tile, i) => {
      const image = new Image();
      image.alt = "";
      image.src = tileUrl(imagery.tiles, tile);
      Object.assign(image.style, {
        left: `${((i % n) * 100) / n}%`,
        top: `${(Math.floor(i / n) * 100) / n}%`,
        width: `${100 / n}%`,
        height: `${100 / n}%`,
      });
      plate.append(image);
    });
  }
  stage.querySelector(".plates")!.append(plate);
}

function boot(): void {
  if (remembered("spotter.light")) document.documentElement.dataset.theme = "light";
  const slug = decodeURIComponent(location.pathname.split("/")[2] ?? "");
  const base = `/v1/campaigns/${encodeURIComponent(slug)}`;
  const campaign = get<Campaign>(base);
  const volunteer = enrol();
  const assignments = volunteer.then(({ token }) =>
    get<Assignments>(`${base}/assignments`, {
      method: "POST",
      headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
      body: JSON.stringify({ count: FIRST_SQUARES }),
    }),
  );
  window.spotterBoot = { slug, campaign, volunteer, assignments };
  const ready = Promise.all([campaign, assignments]);
  addEventListener("DOMContentLoaded", () => ready.then(([c, a]) => layFirstSquare(c, a)).catch(() => {}));
  for (const promise of [campaign, volunteer, assignments]) promise.catch(() => {});
}

boot();
