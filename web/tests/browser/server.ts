/**
 * The real server, as the browser tests reach it without a browser: campaigns of their own, and what was stored.
 *
 * Given by BASE_URL, ORGANISER_KEY (with the scopes campaigns and read) and DATABASE_URL, as `spotter dev` writes them
 * to its env file; IMAGERY_LAYER ("demo" unless told) must cover the places around IMAGERY_PLACE ("lon,lat").
 */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type {
  Assignments,
  Campaign,
  LonLat,
  Outcome,
  Progress,
  TagFeature,
  TagPage,
} from "../../src/shared/contract.ts";
import { parseCell, tileBox, toLonLat, toWorld } from "../../src/shared/tiles.ts";
import { uuid7 } from "../../src/shared/uuid7.ts";

export const BASE = (process.env.SPOTTER_URL ?? "").replace(/\/$/, "");
export const KEY = process.env.ORGANISER_KEY ?? "";
const DATABASE = process.env.DATABASE_URL ?? "";
export const LAYER = process.env.IMAGERY_LAYER ?? "demo";
const PLACE = (process.env.IMAGERY_PLACE ?? "-152.35,57.62").split(",").map(Number) as LonLat;
export const ZOOM = 17;

export const hasServer = BASE !== "" && KEY !== "" && DATABASE !== "";

export async function api<T>(path: string, method = "GET", body?: unknown, token = KEY): Promise<T> {
  const response = await fetch(BASE + path, {
    method,
    headers: {
      ...(token ? { Authorization: `Bearer ${token}` } : {}),
      ...(body === undefined ? {} : { "Content-Type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  return (response.status === 204 ? undefined : await response.json()) as T;
}

/** The rows of a query, each as its columns' texts. */
export async function sql(query: string): Promise<string[][]> {
  const { stdout } = await promisify(execFile)("psql", [DATABASE, "-XAt", "-F", "\t", "-c", query]);
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.split("\t"));
}

/** Asks until there is an answer; tests wait for what they want to see, never for a time. */
export async function until<T>(
  what: string,
  ask: () => Promise<T | null | undefined | false>,
  ms = 30_000,
): Promise<T> {
  const end = Date.now() + ms;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (Date.now() > end) throw new Error(`waited ${ms} ms in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

export interface Field {
  slug: string;
  cells: string[];
}

export const TITLE = "Find the missing light aircraft";

let made = 0;

const newSlug = () => `browser-${Date.now().toString(36)}-${process.pid}-${made++}`;

/** A row of `count` cells at a place of its own, as a polygon a little inside, so that no neighbour is touched. */
export function rowOfCells(count: number): { cells: string[]; area: unknown } {
  const middle = toWorld(PLACE);
  const [x, y] = [Math.floor(middle.x * 2 ** ZOOM), Math.floor(middle.y * 2 ** ZOOM) + (made % 20)];
  const first = tileBox({ z: ZOOM, x, y });
  const inset = first.side * 0.02;
  const [west, north] = toLonLat({ x: first.x + inset, y: first.y + inset });
  const [east, south] = toLonLat({ x: first.x + first.side * count - inset, y: first.y + first.side - inset });
  const corners = [
    [west, south],
    [east, south],
    [east, north],
    [west, north],
    [west, south],
  ];
  return {
    cells: Array.from({ length: count }, (_, i) => `${ZOOM}/${x + i}/${y}`),
    area: { type: "Polygon", coordinates: [corners] },
  };
}

const tagType = (key: string, name: string, german: string) => ({
  key,
  name: { en: name, de: german },
  description: { en: `A ${name.toLowerCase()}.`, de: `${german}.` },
});

export const TAG_TYPES = [
  {
    ...tagType("wreckage", "Wreckage", "Wrackteile"),
    typical_size_m: 9,
    typical_size_label: { en: "a light aircraft", de: "ein Leichtflugzeug" },
  },
  tagType("signal", "Person or signal", "Mensch oder Zeichen"),
  tagType("scar", "Ground scar", "Spur am Boden"),
  tagType("shelter", "Shelter", "Unterschlupf"),
];

interface Wish {
  looksWanted?: number;
  layer?: string;
}

/** A draft of `count` cells. */
export async function draftCampaign(count: number, { looksWanted = 1, layer = LAYER }: Wish = {}): Promise<Field> {
  const slug = newSlug();
  const { cells, area } = rowOfCells(count);
  await api("/v1/campaigns", "POST", {
    slug,
    title: { en: TITLE, de: "Finde das vermisste Leichtflugzeug" },
    summary: { en: "A small white and red aircraft, 9 m long.", de: "Ein kleines weiß-rotes Flugzeug, 9 m lang." },
    instructions: { en: "Look at the **whole** square.", de: "Sieh dir das **ganze** Feld an." },
    area,
    cell_zoom: ZOOM,
    looks_wanted: looksWanted,
    imagery_layer: layer,
    agreement_radius_m: 12,
    tag_types: TAG_TYPES,
  });
  return { slug, cells };
}

export async function stateOf(slug: string): Promise<Campaign["state"]> {
  return (await api<Campaign>(`/v1/campaigns/${slug}`)).state;
}

/** An open campaign of `count` cells. */
export async function openCampaign(count: number, wish: Wish = {}): Promise<Field> {
  const field = await draftCampaign(count, wish);
  await api(`/v1/campaigns/${field.slug}/publish`, "POST");
  await until("the campaign opens", async () => (await stateOf(field.slug)) === "open");
  return field;
}

/** Somebody else, without a browser. */
export class Other {
  readonly slug: string;
  readonly token: string;

  private constructor(slug: string, token: string) {
    this.slug = slug;
    this.token = token;
  }

  static async come(slug: string): Promise<Other> {
    return new Other(slug, (await api<{ token: string }>("/v1/volunteers", "POST", undefined, "")).token);
  }

  /** Takes squares, and keeps others from them. */
  async take(count: number): Promise<string[]> {
    const path = `/v1/campaigns/${this.slug}/assignments`;
    const { assignments } = await api<Assignments>(path, "POST", { count }, this.token);
    return assignments.map(({ cell }) => cell);
  }

  async look(cell: string, outcome: Outcome, tags: { type: string; u: number; v: number; note?: string }[] = []) {
    const now = Date.now();
    await api(
      `/v1/campaigns/${this.slug}/looks`,
      "POST",
      {
        id: uuid7(now),
        cell,
        outcome,
        started_at: new Date(now - 8000).toISOString(),
        finished_at: new Date(now).toISOString(),
        tags: tags.map(({ type, u, v, note }) => ({
          id: uuid7(now),
          tag_type: type,
          geometry: { type: "Point", coordinates: placeIn(cell, u, v) },
          ...(note ? { note } : {}),
        })),
      },
      this.token,
    );
  }
}

/** What is stored of a campaign: one entry for each look, of all volunteers. */
export async function storedLooks(
  slug: string,
): Promise<{ id: string; cell: string; outcome: string; tags: number }[]> {
  const rows = await sql(`
    SELECT l.id, l.cell, l.outcome, (SELECT count(*) FROM tags t WHERE t.look_id = l.id AND t.volunteer_id = l.volunteer_id)
    FROM looks l JOIN campaigns c ON c.id = l.campaign_id WHERE c.slug = '${slug}' ORDER BY l.id`);
  return rows.map(([id, cell, outcome, tags]) => ({ id: id!, cell: cell!, outcome: outcome!, tags: Number(tags) }));
}

export async function tagsOf(slug: string): Promise<TagFeature[]> {
  return (await api<TagPage>(`/v1/campaigns/${slug}/tags?limit=1000`)).features;
}

export async function progressOf(slug: string): Promise<Progress> {
  return api<Progress>(`/v1/campaigns/${slug}/progress`);
}

/** The place at a fraction of a cell, from its north-west corner. */
export function placeIn(cell: string, u: number, v: number): LonLat {
  const box = tileBox(parseCell(cell));
  return toLonLat({ x: box.x + box.side * u, y: box.y + box.side * v });
}

export function metresBetween([lon, lat]: LonLat, [lon2, lat2]: LonLat): number {
  const metres = 111_320;
  return Math.hypot((lon - lon2) * metres * Math.cos((lat * Math.PI) / 180), (lat - lat2) * metres);
}
