/**
 * The shapes which the HTTP API sends and takes, named as the API names them.
 *
 * Invariant: only what a page reads is listed; the server may send more.
 */
export type LonLat = [number, number];
/** west, south, east, north; west > east when the box crosses the antimeridian. */
export type BBox = [number, number, number, number];
/** A text in several languages, by BCP 47 tag. */
export type Texts = Record<string, string>;

export type IconName = "triangle" | "circle" | "square" | "diamond" | "hexagon" | "pentagon" | "cross" | "star";

export interface TagType {
  key: string;
  name: Texts;
  description: Texts | null;
  colour: string;
  icon: IconName;
  geometry: "Point" | "LineString" | "Polygon";
  typical_size_m: number | null;
  typical_size_label?: Texts | null;
  examples: LonLat[];
}

export interface Imagery {
  key: string;
  name: string;
  tiles: string;
  tile_size: number;
  min_zoom: number;
  max_zoom: number;
  attribution: string;
  licence: string | null;
  licence_url: string | null;
  sensor: string | null;
  catalogue_id: string | null;
  acquired_at: string | null;
  ground_sample_distance_m: number | null;
  bounds: BBox | null;
}

export type CampaignState = "draft" | "preparing" | "open" | "paused" | "closed";

export interface Campaign {
  id: string;
  slug: string;
  version: number;
  state: CampaignState;
  message: string | null;
  title: Texts;
  summary: Texts;
  instructions_html: Texts;
  cell_zoom: number;
  looks_wanted: number;
  agreement_radius_m: number;
  bbox: BBox;
  area: { type: "MultiPolygon"; coordinates: LonLat[][][] };
  area_km2: number;
  cells: number;
  imagery: Imagery;
  tag_types: TagType[];
}

export interface Assignment {
  cell: string;
  bbox: BBox;
  lease_expires_at: string;
  campaign_version: number;
}

export interface Assignments {
  assignments: Assignment[];
  exhausted: boolean;
  retry_after_seconds: number | null;
}

export type Outcome = "tagged" | "nothing" | "skipped" | "bad_imagery";

export interface NewTag {
  id: string;
  tag_type: string;
  geometry: { type: "Point"; coordinates: LonLat };
  note?: string;
}

export interface NewLook {
  id: string;
  cell: string;
  outcome: Outcome;
  started_at: string;
  finished_at: string;
  campaign_version: number;
  tags: NewTag[];
}

export interface ProblemBody {
  title?: string;
  detail?: string;
  code?: string;
  message?: string | null;
  request_id?: string;
  errors?: { pointer: string; detail: string }[];
}

export interface Verdict {
  id: string;
  verdict: "created" | "repeated" | "conflict" | "invalid";
  problem?: ProblemBody;
}

export interface Progress {
  state: CampaignState;
  as_of: string;
  lag_seconds: number;
  cells: number;
  cells_done: number;
  cells_bad_imagery: number;
  coverage: number;
  area_km2: number;
  looks: number;
  looks_expected: number;
  looks_by_outcome: Record<Outcome, number>;
  volunteers: number;
  volunteers_active?: number;
  tags: number;
  tags_by_type: Record<string, number>;
}

export interface ProgressCells {
  zoom: number;
  looks_wanted: number;
  cells: { cell: string; cells: number; looks: number; bad_imagery: number; tags: number }[];
}

export interface TagFeature {
  type: "Feature";
  id: string;
  geometry: { type: "Point" | "LineString" | "Polygon"; coordinates: unknown };
  properties: { tag_type: string; note: string | null; cell: string; volunteer_id: string; received_at: string };
}

export interface TagPage {
  type: "FeatureCollection";
  features: TagFeature[];
  next?: string | null;
}
