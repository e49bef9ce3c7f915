/** Made by `npm run types` from the OpenAPI document; do not edit. */

export type AreaKind = "Polygon" | "MultiPolygon" | "GeometryCollection" | "Feature" | "FeatureCollection";
/**
 * What a volunteer found.
 */
export type Outcome = "tagged" | "nothing" | "skipped" | "bad_imagery";
export type State = "draft" | "preparing" | "open" | "paused" | "closed";
/**
 * Where a cell stands.
 */
export type CellState = "open" | "done" | "bad_imagery" | "closed";
/**
 * A stored campaign and what was put right in its area.
 */
export type Defined = CampaignView & {
  /**
   * What was put right in the area, or should be known of it.
   */
  notes: AreaNote[];
};
/**
 * The estimate and the parts of the area.
 */
export type EstimateView = Estimate & {
  /**
   * Coverage of the area by each layer that was named.
   */
  coverage: CoverageView[];
  /**
   * Instructions as HTML that is safe to show, per language.
   */
  instructions_html: {
    [k: string]: string;
  };
  /**
   * GeoJSON of what is left out, put right.
   */
  leave_out?: {} | null;
  leave_out_km2: number;
  /**
   * GeoJSON of the area before anything was left out of it.
   */
  outline?: {} | null;
  /**
   * Each priority area, as far as it lies in the area.
   */
  priority_parts: PriorityPart[];
  /**
   * Some cells of the area as `z/x/y`, to try a campaign out; 5 at most.
   *
   * @maxItems 5
   */
  sample_cells:
    | []
    | [string]
    | [string, string]
    | [string, string, string]
    | [string, string, string, string]
    | [string, string, string, string, string];
};
/**
 * A layer as organisers see it.
 */
export type LayerView = LayerDefinition & {
  created_at: string;
  /**
   * Grows with each change; it is the ETag.
   */
  revision: number;
  /**
   * Names of the secrets that are kept. Their values are never shown.
   */
  secret_names: string[];
  updated_at: string;
};
export type Mode = "normal" | "read_only" | "maintenance";
/**
 * Where a prefetch stands.
 */
export type PrefetchState = "not_begun" | "running" | "stopped" | "done";
/**
 * What a campaign would take and look like: without an area, its instructions alone.
 */
export type PreviewView = EstimateView | TextsView;
export type ProgressView = Activity & {
  area_km2: number;
  /**
   * Looks, tags and decisions about cells up to this time are counted.
   */
  as_of: string;
  /**
   * Slug of the campaign.
   */
  campaign: string;
  cells: number;
  /**
   * Cells that three volunteers or more reported as bad imagery and that are not closed; they are
   * not given until the organiser decides about them.
   */
  cells_bad_imagery: number;
  /**
   * Part of the cells that are done, without those that are closed: 0 to 1.
   */
  coverage: number;
  /**
   * The minute of the first look.
   */
  first_look_at?: string | null;
  /**
   * How far the numbers are behind, in seconds.
   */
  lag_seconds: number;
  looks_by_outcome: OutcomesView;
  /**
   * Looks that the cells want, all together, without those that are closed.
   */
  looks_expected: number;
  /**
   * Looks that the cells still want, those with bad imagery among them.
   */
  looks_missing: number;
  preparation?: PreparationView1 | null;
  rates: RatesView;
  state: State;
  tags_by_type: {
    [k: string]: number;
  };
  volunteers: number;
};
/**
 * A document of one of the collections, with `_deleted`.
 */
export type RxdbDocument = CampaignDocument | AssignmentDocument | LookDocument | ReceiptDocument | TagDocument;
/**
 * Of several, the first that is true.
 */
export type Standing = "after_close" | "while_paused" | "extra" | "counted";

/**
 * How far a campaign is, and what happens in it now.
 */
export interface Activity {
  /**
   * Cells that the organiser closed; they are not among those done.
   */
  cells_closed: number;
  /**
   * Cells with as many looks as wanted.
   */
  cells_done: number;
  last_look_at?: string | null;
  /**
   * Looks of every outcome.
   */
  looks: number;
  /**
   * Mean of the last five whole minutes, or of those since the first look; null before there
   * is one.
   */
  looks_per_minute?: number | null;
  /**
   * Tags that were not withdrawn.
   */
  tags: number;
  /**
   * Volunteers with a look in the last five minutes.
   */
  volunteers_active: number;
}
/**
 * That a server is.
 */
export interface Alive {
  status: string;
}
/**
 * One look at the cell.
 */
export interface AnswerView {
  look_id: string;
  outcome: string;
  received_at: string;
  /**
   * How long they looked, by their own clock.
   */
  seconds: number;
  /**
   * Tags of this look that were not withdrawn.
   */
  tags: number;
  /**
   * A random number, not a name.
   */
  volunteer_id: string;
}
/**
 * An area of interest: GeoJSON in EPSG:4326 with polygons.
 */
export interface Area {
  /**
   * Of a geometry.
   */
  coordinates?: unknown[];
  /**
   * Of a FeatureCollection.
   */
  features?: unknown[];
  /**
   * Of a Feature.
   */
  geometry?: {};
  type: AreaKind;
}
/**
 * What was put right in an uploaded area, or should be known of it.
 */
export interface AreaNote {
  /**
   * Stable, for programs.
   */
  code: string;
  /**
   * A sentence for people.
   */
  detail: string;
  /**
   * The place on earth, where there is one: longitude, latitude.
   *
   * @minItems 2
   * @maxItems 2
   */
  place?: [number, number] | null;
  /**
   * Where in the body, as a JSON pointer.
   */
  pointer: string;
}
/**
 * A square of a pack.
 */
export interface AssignmentDocument {
  /**
   * West, south, east, north.
   *
   * @minItems 4
   * @maxItems 4
   */
  bbox: [number, number, number, number];
  campaign: string;
  /**
   * The square as `z/x/y`.
   */
  cell: string;
  /**
   * Of this square in this pack.
   */
  id: string;
  imagery?: ImageryView | null;
  /**
   * Until then nobody else is given the square in your stead. A later look is taken all the same.
   */
  lease_expires_at: string;
  pack_id: string;
  /**
   * `open`; `answered` for a day after you looked at it; `gone` when it is deleted.
   */
  state: string;
}
/**
 * The imagery of this square, where the organisers gave it another than the campaign's.
 */
export interface ImageryView {
  acquired_at?: string | null;
  attribution: string;
  /**
   * @minItems 4
   * @maxItems 4
   */
  bounds?: [number, number, number, number] | null;
  catalogue_id?: string | null;
  ground_sample_distance_m?: number | null;
  key: string;
  licence?: string | null;
  licence_url?: string | null;
  max_zoom: number;
  min_zoom: number;
  name: string;
  revision: number;
  sensor?: string | null;
  tile_size: number;
  /**
   * Address of a tile with the holes `{z}`, `{x}`, `{y}`, relative to this server.
   */
  tiles: string;
}
export interface AssignmentView {
  /**
   * West, south, east, north.
   *
   * @minItems 4
   * @maxItems 4
   */
  bbox: [number, number, number, number];
  /**
   * Version of the campaign that was in force.
   */
  campaign_version: number;
  /**
   * The square as `z/x/y`.
   */
  cell: string;
  imagery?: ImageryView1 | null;
  /**
   * Until then nobody else is given the square in your stead. A later look still counts.
   */
  lease_expires_at: string;
  /**
   * Why this one: `new`, `priority`, `near`, `again` when it was given to you before, `tail` when
   * others were given it some time ago and it is one of the last.
   */
  reason: string;
}
/**
 * The imagery of this square, where the organisers gave it another than the campaign's.
 */
export interface ImageryView1 {
  acquired_at?: string | null;
  attribution: string;
  /**
   * @minItems 4
   * @maxItems 4
   */
  bounds?: [number, number, number, number] | null;
  catalogue_id?: string | null;
  ground_sample_distance_m?: number | null;
  key: string;
  licence?: string | null;
  licence_url?: string | null;
  max_zoom: number;
  min_zoom: number;
  name: string;
  revision: number;
  sensor?: string | null;
  tile_size: number;
  /**
   * Address of a tile with the holes `{z}`, `{x}`, `{y}`, relative to this server.
   */
  tiles: string;
}
/**
 * Many looks at once, as after a day without a network.
 */
export interface Batch {
  /**
   * 1 to 500, in any order. Each is judged for itself.
   *
   * @minItems 1
   * @maxItems 500
   */
  looks: [NewLook, ...NewLook[]];
  /**
   * Whether to say of each look that is stored how it came in.
   */
  standing?: boolean;
}
/**
 * A look as a client sends it.
 */
export interface NewLook {
  /**
   * Version of the campaign that the volunteer saw; the present one when it is absent.
   */
  campaign_version?: number | null;
  /**
   * The square as `z/x/y`.
   */
  cell: string;
  /**
   * By the client's clock; kept as it is.
   */
  finished_at: string;
  /**
   * Made by the client, once for each look; UUIDv7 advised. Send the same again after a lost answer.
   */
  id: string;
  outcome: Outcome;
  /**
   * By the client's clock; kept as it is.
   */
  started_at: string;
  /**
   * 1 to 100 with `tagged`, none with the other outcomes.
   *
   * @maxItems 100
   */
  tags?: NewTag[];
}
/**
 * A tag as a client sends it.
 */
export interface NewTag {
  /**
   * GeoJSON geometry of the tag type's kind, within the square; 500 vertices at most.
   */
  geometry: {};
  /**
   * Made by the client, once for each tag.
   */
  id: string;
  note?: string | null;
  /**
   * Key of one of the campaign's tag types.
   */
  tag_type: string;
}
/**
 * A cell, or a block of cells.
 */
export interface BlockView {
  /**
   * Reports of bad imagery.
   */
  bad_imagery: number;
  /**
   * The tile as `z/x/y`.
   */
  cell: string;
  /**
   * Cells of the campaign in it.
   */
  cells: number;
  /**
   * Cells of it that the organiser closed: nobody is given them.
   */
  closed: number;
  /**
   * Looks of each cell that count, on average.
   */
  looks: number;
  /**
   * Tags that were not withdrawn.
   */
  tags: number;
}
/**
 * What an organiser says of a campaign.
 */
export interface CampaignDefinition {
  /**
   * Tags of one type within this distance are taken for the same object, in metres.
   */
  agreement_radius_m?: number;
  area: Area1;
  /**
   * Zoom of the squares that volunteers see.
   */
  cell_zoom: number;
  /**
   * The campaign closes by itself.
   */
  ends_at?: string | null;
  /**
   * How long after the close looks are still taken at squares that were given before: a phone may
   * have been without a network.
   */
  grace_days?: number;
  /**
   * Key of an imagery layer.
   */
  imagery_layer: string;
  /**
   * Markdown per language; 20,000 characters each. Shown without raw HTML and outside images.
   */
  instructions?: {
    [k: string]: string;
  };
  /**
   * Languages of its texts (BCP 47 tags) in their order: whoever reads none of them gets the
   * first. Those of the title that are not named follow by name; 50 at most.
   *
   * @maxItems 50
   */
  languages?: string[];
  /**
   * How long a square stays reserved for a volunteer.
   */
  lease_seconds?: number;
  leave_out?: Area2 | null;
  /**
   * Looks by different volunteers that each cell needs.
   */
  looks_wanted: number;
  /**
   * Areas that are searched first; 50 at most.
   *
   * @maxItems 50
   */
  priorities?: Priority[];
  /**
   * Name in addresses: lower-case letters, digits, `-` and `_`.
   */
  slug: string;
  /**
   * No squares are given before.
   */
  starts_at?: string | null;
  /**
   * One or two sentences per language; 500 characters each.
   */
  summary?: {
    [k: string]: string;
  };
  /**
   * What volunteers may mark; 1 to 32.
   *
   * @minItems 1
   * @maxItems 32
   */
  tag_types: [TagType, ...TagType[]];
  /**
   * Per language (BCP 47 tag), at least one; 120 characters each.
   */
  title: {
    [k: string]: string;
  };
}
/**
 * Area of interest as GeoJSON in EPSG:4326: Polygon, MultiPolygon, Feature or
 * FeatureCollection of these. 200,000 vertices at most.
 */
export interface Area1 {
  /**
   * Of a geometry.
   */
  coordinates?: unknown[];
  /**
   * Of a FeatureCollection.
   */
  features?: unknown[];
  /**
   * Of a Feature.
   */
  geometry?: {};
  type: AreaKind;
}
/**
 * Parts of the area that nobody need search, as GeoJSON like `area`.
 */
export interface Area2 {
  /**
   * Of a geometry.
   */
  coordinates?: unknown[];
  /**
   * Of a FeatureCollection.
   */
  features?: unknown[];
  /**
   * Of a Feature.
   */
  geometry?: {};
  type: AreaKind;
}
/**
 * An area that is searched first.
 */
export interface Priority {
  area: Area3;
  /**
   * What organisers call it; 60 characters.
   */
  name?: string | null;
  /**
   * Cells outside have weight 1; higher goes first.
   */
  weight: number;
}
/**
 * GeoJSON as for the campaign.
 */
export interface Area3 {
  /**
   * Of a geometry.
   */
  coordinates?: unknown[];
  /**
   * Of a FeatureCollection.
   */
  features?: unknown[];
  /**
   * Of a Feature.
   */
  geometry?: {};
  type: AreaKind;
}
/**
 * A kind of object that volunteers mark.
 */
export interface TagType {
  /**
   * `#RRGGBB`; given out in order when it is absent.
   */
  colour?: string | null;
  /**
   * How to recognise it, per language; 500 characters each.
   */
  description?: {
    [k: string]: string;
  };
  /**
   * @maxItems 4
   */
  examples?:
    | []
    | [[number, number]]
    | [[number, number], [number, number]]
    | [[number, number], [number, number], [number, number]]
    | [[number, number], [number, number], [number, number], [number, number]];
  geometry?: string;
  /**
   * One of triangle, circle, square, diamond, hexagon, pentagon, cross, star; given out in
   * order when it is absent.
   */
  icon?: string | null;
  key: string;
  /**
   * Per language, at least one; 60 characters each.
   */
  name: {
    [k: string]: string;
  };
  /**
   * What has that size, per language: "a light aircraft".
   */
  typical_size_label?: {
    [k: string]: string;
  };
  /**
   * True length of such an object in metres, for the scale bar.
   */
  typical_size_m?: number | null;
}
/**
 * A campaign that was opened, also when it is closed by now.
 */
export interface CampaignDocument {
  cell_zoom: number;
  ends_at?: string | null;
  id: string;
  imagery: ImageryView2;
  /**
   * Markdown per language.
   */
  instructions: {
    [k: string]: string;
  };
  looks_wanted: number;
  /**
   * What the organisers say while it is paused.
   */
  message?: string | null;
  slug: string;
  state: State;
  summary: {
    [k: string]: string;
  };
  tag_types: TagType[];
  title: {
    [k: string]: string;
  };
  version: number;
}
/**
 * The imagery that volunteers see.
 */
export interface ImageryView2 {
  acquired_at?: string | null;
  attribution: string;
  /**
   * @minItems 4
   * @maxItems 4
   */
  bounds?: [number, number, number, number] | null;
  catalogue_id?: string | null;
  ground_sample_distance_m?: number | null;
  key: string;
  licence?: string | null;
  licence_url?: string | null;
  max_zoom: number;
  min_zoom: number;
  name: string;
  revision: number;
  sensor?: string | null;
  tile_size: number;
  /**
   * Address of a tile with the holes `{z}`, `{x}`, `{y}`, relative to this server.
   */
  tiles: string;
}
/**
 * A page of campaigns.
 */
export interface CampaignPage {
  /**
   * Without `area` and `priorities`.
   */
  campaigns: CampaignView[];
  /**
   * Address of the next page, where there is one.
   */
  next?: string | null;
}
/**
 * What volunteers and organisers see of a campaign.
 */
export interface CampaignView {
  activity?: Activity1 | null;
  agreement_radius_m: number;
  /**
   * GeoJSON MultiPolygon. Absent in lists and with `area=false`.
   */
  area?: {} | null;
  area_km2: number;
  /**
   * West, south, east, north; west > east across the antimeridian.
   *
   * @minItems 4
   * @maxItems 4
   */
  bbox: [number, number, number, number];
  cell_zoom: number;
  /**
   * Number of squares.
   */
  cells: number;
  closed_at?: string | null;
  created_at: string;
  ends_at?: string | null;
  /**
   * How many days after the close looks are still taken at squares that were given before.
   */
  grace_days: number;
  id: string;
  imagery: ImageryView2;
  /**
   * Key of the imagery layer.
   */
  imagery_layer: string;
  /**
   * Markdown per language.
   */
  instructions: {
    [k: string]: string;
  };
  /**
   * The same as HTML that is safe to show.
   */
  instructions_html: {
    [k: string]: string;
  };
  /**
   * Of its texts, in the organisers' order: whoever reads none of them gets the first.
   */
  languages: string[];
  lease_seconds: number;
  leave_out?: {} | null;
  looks_wanted: number;
  /**
   * What the organisers say while the campaign is paused.
   */
  message?: string | null;
  /**
   * Where a part was left out: the area before, and that part, as GeoJSON. Absent in lists.
   */
  outline?: {} | null;
  /**
   * Absent in lists.
   */
  priorities?: Priority[] | null;
  published_at?: string | null;
  slug: string;
  starts_at?: string | null;
  state: State;
  summary: {
    [k: string]: string;
  };
  tag_types: TagType[];
  title: {
    [k: string]: string;
  };
  updated_at: string;
  /**
   * Grows with each change; it is the ETag.
   */
  version: number;
}
/**
 * In lists only.
 */
export interface Activity1 {
  /**
   * Cells that the organiser closed; they are not among those done.
   */
  cells_closed: number;
  /**
   * Cells with as many looks as wanted.
   */
  cells_done: number;
  last_look_at?: string | null;
  /**
   * Looks of every outcome.
   */
  looks: number;
  /**
   * Mean of the last five whole minutes, or of those since the first look; null before there
   * is one.
   */
  looks_per_minute?: number | null;
  /**
   * Tags that were not withdrawn.
   */
  tags: number;
  /**
   * Volunteers with a look in the last five minutes.
   */
  volunteers_active: number;
}
export interface CellPage {
  cells: ListedCellView[];
  /**
   * Address of the next page, where there is one.
   */
  next?: string | null;
}
/**
 * A cell that waits for a decision, or about which one was made.
 */
export interface ListedCellView {
  /**
   * Distinct volunteers who reported bad imagery, as far as it counts.
   */
  bad_imagery: number;
  /**
   * West, south, east, north.
   *
   * @minItems 4
   * @maxItems 4
   */
  bbox: [number, number, number, number];
  /**
   * The square as `z/x/y`.
   */
  cell: string;
  /**
   * When something was last decided about it.
   */
  decided_at?: string | null;
  /**
   * Key of the layer that it is shown on instead of the campaign's.
   */
  imagery_layer?: string | null;
  /**
   * Looks that count: distinct volunteers who answered `tagged` or `nothing`.
   */
  looks: number;
  state: CellState;
  /**
   * Tags that were not withdrawn.
   */
  tags: number;
  /**
   * Weight of the priority areas that touch it; 1 outside.
   */
  weight: number;
}
/**
 * What became of one cell.
 */
export interface CellResult {
  /**
   * As it was sent.
   */
  cell: string;
  problem?: Problem | null;
  /**
   * `changed`, `unchanged` (it was so already) or `invalid`.
   */
  verdict: string;
}
/**
 * Why nothing was decided about it.
 */
export interface Problem {
  /**
   * Stable; branch on this, never on texts.
   */
  code: string;
  /**
   * What was found, what is needed, what to do.
   */
  detail: string;
  /**
   * Always true; only below `/v1/sync/`, where clients look for it.
   */
  error?: boolean | null;
  /**
   * Fields that were refused.
   */
  errors?: FieldError[];
  /**
   * What the organisers say, where they said something.
   */
  message?: string | null;
  /**
   * The same as the header `X-Request-Id`; name it when you report the problem.
   */
  request_id?: string | null;
  /**
   * The HTTP status.
   */
  status: number;
  /**
   * The status in words.
   */
  title: string;
  /**
   * A URI reference that names the kind of problem; the part after `#` is the `code`.
   */
  type: string;
}
/**
 * One field that was refused.
 */
export interface FieldError {
  /**
   * What was found, what is needed.
   */
  detail: string;
  /**
   * Where in the body, as a JSON pointer (RFC 6901).
   */
  pointer: string;
}
export interface CellResults {
  /**
   * One for each cell, in order.
   */
  results: CellResult[];
}
/**
 * A cell of a campaign and the looks at it.
 */
export interface CellView {
  /**
   * Looks of every outcome, newest first; 100 at most.
   *
   * @maxItems 100
   */
  answers: AnswerView[];
  /**
   * Distinct volunteers who reported bad imagery, since the cell was reset or got its layer.
   */
  bad_imagery: number;
  /**
   * West, south, east, north.
   *
   * @minItems 4
   * @maxItems 4
   */
  bbox: [number, number, number, number];
  /**
   * The square as `z/x/y`.
   */
  cell: string;
  /**
   * When something was last decided about it.
   */
  decided_at?: string | null;
  /**
   * Key of the layer that it is shown on instead of the campaign's.
   */
  imagery_layer?: string | null;
  last_look_at?: string | null;
  /**
   * Volunteers who hold it now.
   */
  leases: number;
  /**
   * Looks that count: distinct volunteers who answered `tagged` or `nothing`, since the cell was
   * reset.
   */
  looks: number;
  state: CellState;
  /**
   * Tags that were not withdrawn.
   */
  tags: number;
  /**
   * Weight of the priority areas that touch it; 1 outside.
   */
  weight: number;
}
/**
 * The name of a copy.
 */
export interface Clone {
  /**
   * Slug of the copy; a numbered one when it is absent.
   */
  slug?: string | null;
}
/**
 * A code for another device.
 */
export interface CodeView {
  /**
   * Eight signs, none of which is taken for another.
   */
  code: string;
  expires_at: string;
}
/**
 * How much of the area a layer covers, by its declared bounds.
 */
export interface CoverageView {
  imagery_layer: string;
  /**
   * 0 to 1; a layer without bounds covers everything.
   */
  share: number;
}
export interface DealView {
  assignments: AssignmentView[];
  /**
   * True when there is nothing for this volunteer now.
   */
  exhausted: boolean;
  /**
   * When there is nothing: other searches that are open, five at most.
   */
  other_campaigns?: OtherCampaign[] | null;
  /**
   * When others hold the last squares: seconds until the first may come back.
   */
  retry_after_seconds?: number | null;
  volunteer?: SignedUp | null;
}
export interface OtherCampaign {
  slug: string;
  /**
   * Per language.
   */
  title: {
    [k: string]: string;
  };
}
/**
 * Who you are from now on, when you asked without a token.
 */
export interface SignedUp {
  /**
   * Send it as `Authorization: Bearer`. It does not lapse; keep it, or the looks are another volunteer's.
   */
  token: string;
  /**
   * A random number, not a name.
   */
  volunteer_id: string;
}
/**
 * What an organiser decides about cells. Members that are not named stay as they are.
 */
export interface Decision {
  /**
   * 1 to 1000 cells as `z/x/y`. Each is judged for itself.
   *
   * @minItems 1
   * @maxItems 1000
   */
  cells: [string, ...string[]];
  /**
   * `true`: nobody is given these cells. `false` takes that back.
   */
  closed?: boolean | null;
  /**
   * Key of the layer that these cells are shown on, instead of the campaign's; `null` for the
   * campaign's. Reports of bad imagery up to now then do not count any more, also when the layer
   * is named that the cells have: its imagery is good now.
   */
  imagery_layer?: string | null;
  /**
   * `true`: looks and reports of bad imagery up to now do not count any more, and the cells are
   * given anew to people who have not seen them. Tags stay.
   */
  reset?: boolean;
}
/**
 * A file that can be downloaded.
 */
export interface DownloadView {
  /**
   * Bytes, estimated by the first rows.
   */
  bytes_estimated: number;
  expires_at: string;
  name: string;
  /**
   * Rows that it has about now.
   */
  rows: number;
  /**
   * Opens without a key for ten minutes, so that a browser can store it by itself.
   */
  url: string;
}
export interface DownloadsView {
  downloads: DownloadView[];
}
/**
 * What a campaign would take.
 */
export interface Estimate {
  /**
   * The area as it would be stored: GeoJSON MultiPolygon.
   */
  area: {};
  area_km2: number;
  /**
   * West, south, east, north; west > east across the antimeridian.
   *
   * @minItems 4
   * @maxItems 4
   */
  bbox: [number, number, number, number];
  /**
   * Side of a cell in the middle of the area.
   */
  cell_side_m: number;
  cells: number;
  looks_expected: number;
  /**
   * Minutes that 500 volunteers need together.
   */
  minutes_for_500_volunteers: number;
  /**
   * What was put right, or should be known.
   */
  notes: AreaNote[];
  /**
   * Seconds for one look that these numbers assume.
   */
  seconds_per_look: number;
  /**
   * Hours that volunteers look, all together.
   */
  volunteer_hours: number;
}
/**
 * A priority area within the area of interest.
 */
export interface PriorityPart {
  /**
   * GeoJSON of the whole priority area, put right.
   */
  area: {};
  area_km2: number;
  cells: number;
}
/**
 * All that is stored of a volunteer.
 */
export interface ExportView {
  exported_at: string;
  /**
   * Ids of tags that were withdrawn more than 180 days ago; 10,000 at most.
   */
  forgotten_tags: string[];
  /**
   * Volunteers of other devices that became this one.
   */
  joined: JoinedView[];
  /**
   * Codes for other devices, without the codes.
   */
  link_codes: LinkCodeView[];
  looks: OwnLook[];
  /**
   * Squares that were taken along.
   */
  packs: OwnPack[];
  /**
   * What was pushed by sync and not taken; the newest 10,000.
   */
  refusals: OwnRefusal[];
  /**
   * Squares whose reservation was renewed.
   */
  renewed_leases: RenewedLease[];
  tags: OwnTag[];
  volunteer_id: string;
  /**
   * Tags that came before their look.
   */
  waiting_tags: OwnWaitingTag[];
}
export interface JoinedView {
  joined_at: string;
  volunteer_id: string;
}
export interface LinkCodeView {
  expires_at: string;
  made_at: string;
  used_at?: string | null;
}
/**
 * A look as its volunteer gets it.
 */
export interface OwnLook {
  campaign_id: string;
  campaign_version: number;
  /**
   * The square as `z/x/y`.
   */
  cell: string;
  finished_at: string;
  id: string;
  outcome: string;
  received_at: string;
  started_at: string;
}
/**
 * A pack as its volunteer is told of it.
 */
export interface OwnPack {
  campaign_id: string;
  /**
   * Its squares as `z/x/y`; those that went are kept for 180 days.
   */
  cells: string[];
  expires_at?: string | null;
  id: string;
  made_at: string;
}
/**
 * A document that was pushed and refused, as its volunteer gets it.
 */
export interface OwnRefusal {
  campaign?: string | null;
  cell?: string | null;
  code: string;
  /**
   * `looks` or `tags`.
   */
  collection: string;
  detail: string;
  id: string;
  refused_at: string;
}
/**
 * A lease that was renewed.
 */
export interface RenewedLease {
  campaign_id: string;
  /**
   * The square as `z/x/y`.
   */
  cell: string;
  lease_expires_at: string;
}
/**
 * A tag as its volunteer gets it, withdrawn or not.
 */
export interface OwnTag {
  campaign_id: string;
  campaign_version: number;
  /**
   * The square as `z/x/y`.
   */
  cell: string;
  /**
   * GeoJSON geometry.
   */
  geometry: {};
  id: string;
  look_id: string;
  note?: string | null;
  received_at: string;
  revision: number;
  tag_type: string;
  updated_at: string;
  withdrawn_at?: string | null;
}
/**
 * A tag that waits for its look, as its volunteer gets it.
 */
export interface OwnWaitingTag {
  campaign_id: string;
  /**
   * GeoJSON geometry.
   */
  geometry: {};
  id: string;
  look_id: string;
  note?: string | null;
  received_at: string;
  tag_type: string;
  withdrawn_at?: string | null;
}
export interface FailurePage {
  failures: FailureView[];
  /**
   * Address of the next page, where there is one.
   */
  next?: string | null;
}
/**
 * A tile that could not be had.
 */
export interface FailureView {
  failed_at: string;
  /**
   * For people.
   */
  reason: string;
  /**
   * `z/x/y`
   */
  tile: string;
}
/**
 * Who is forgotten.
 */
export interface ForgottenView {
  /**
   * `forgotten`: nobody can act as this volunteer any more, and what they sent is deleted within seconds.
   */
  state: string;
  volunteer_id: string;
}
/**
 * What was given back.
 */
export interface GivenBack {
  /**
   * Squares that were not answered.
   */
  given_back: number;
}
/**
 * How a server is.
 */
export interface Health {
  /**
   * `up` or `away`.
   */
  database: string;
  /**
   * `up` or `away`.
   */
  memcached: string;
  /**
   * `ready`, `degraded` (memcached is away), `unavailable` (the database is) or `draining`.
   */
  status: string;
}
/**
 * What an organiser says of a layer, and all of it that may be shown.
 */
export interface LayerDefinition {
  /**
   * When the image was taken.
   */
  acquired_at?: string | null;
  /**
   * Shown beside the imagery.
   */
  attribution?: string;
  /**
   * SHA-256 of the tiles that the source sends where it has nothing, in hexadecimal digits. They
   * count as missing.
   *
   * @maxItems 16
   */
  blank_sha256?:
    | []
    | [string]
    | [string, string]
    | [string, string, string]
    | [string, string, string, string]
    | [string, string, string, string, string]
    | [string, string, string, string, string, string]
    | [string, string, string, string, string, string, string]
    | [string, string, string, string, string, string, string, string]
    | [string, string, string, string, string, string, string, string, string]
    | [string, string, string, string, string, string, string, string, string, string]
    | [string, string, string, string, string, string, string, string, string, string, string]
    | [string, string, string, string, string, string, string, string, string, string, string, string]
    | [string, string, string, string, string, string, string, string, string, string, string, string, string]
    | [string, string, string, string, string, string, string, string, string, string, string, string, string, string]
    | [
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string
      ]
    | [
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string
      ];
  /**
   * Where the layer has imagery: west, south, east, north. Tiles outside are not asked for.
   *
   * @minItems 4
   * @maxItems 4
   */
  bounds?: [number, number, number, number] | null;
  /**
   * Id of the image in its provider's catalogue.
   */
  catalogue_id?: string | null;
  /**
   * Metres on the ground that one pixel covers.
   */
  ground_sample_distance_m?: number | null;
  /**
   * Name in addresses: lower-case letters, digits, `-` and `_`.
   */
  key: string;
  licence?: string | null;
  licence_url?: string | null;
  /**
   * Fetches that the source is asked for at the same time, by all servers together.
   */
  max_concurrent_fetches?: number;
  /**
   * Fetches that it is asked for each second, by all servers together.
   */
  max_fetches_per_second?: number;
  /**
   * Deepest zoom that the source has.
   */
  max_zoom?: number;
  min_zoom?: number;
  name: string;
  /**
   * Hosts that the source may redirect to, beside its own.
   *
   * @maxItems 8
   */
  redirect_hosts?:
    | []
    | [string]
    | [string, string]
    | [string, string, string]
    | [string, string, string, string]
    | [string, string, string, string, string]
    | [string, string, string, string, string, string]
    | [string, string, string, string, string, string, string]
    | [string, string, string, string, string, string, string, string];
  sensor?: string | null;
  /**
   * Side of a tile in pixels.
   */
  tile_size?: number;
  /**
   * Address of a tile with holes: `{z}` `{x}` `{y}` or `{-y}`, `{quadkey}`, `{switch:a,b}`,
   * WMTS `{TileMatrix}` `{TileCol}` `{TileRow}`, WMS `{bbox}` `{width}` `{height}`. Other
   * holes name secrets. A key in the query (`?apikey=…`) is taken for a secret.
   */
  url_template: string;
}
export interface LayerPage {
  layers: LayerView[];
  /**
   * Address of the next page, where there is one.
   */
  next?: string | null;
}
/**
 * A code of another device.
 */
export interface Link {
  /**
   * Hyphens, spaces and small letters do not matter.
   */
  code: string;
  /**
   * Made by the device, once for each attempt; UUIDv7 advised. With it, or with a token, the same call can be sent again
   * after a lost answer, as long as the code lasts.
   */
  id?: string | null;
}
/**
 * A look, without its tags.
 */
export interface LookDocument {
  /**
   * The campaign's id; its slug can be pushed too.
   */
  campaign: string;
  /**
   * Version of the campaign that the volunteer saw, where the client said it.
   */
  campaign_version?: number | null;
  /**
   * The square as `z/x/y`.
   */
  cell: string;
  finished_at: string;
  id: string;
  outcome: Outcome;
  /**
   * By the client's clock; milliseconds are kept.
   */
  started_at: string;
}
export interface MapView {
  cells: BlockView[];
  looks_wanted: number;
  /**
   * Zoom of the tiles below: the cell zoom, or less when they are blocks of cells.
   */
  zoom: number;
}
/**
 * The organiser whose key was sent.
 */
export interface Me {
  name: string;
  organiser_id: string;
  /**
   * What the key may do.
   */
  scopes: string[];
}
/**
 * What is to be different.
 */
export interface ModeChange {
  /**
   * Of a hundred volunteers so many are let in. Who is let in at 20 is also at 40. Looks are taken
   * from everybody, and organisers are always let in.
   */
  admit_percent?: number | null;
  /**
   * What people are told; null removes it. A new mode removes it too, unless there is a new one.
   */
  message?: string | null;
  mode?: Mode | null;
}
export interface OutcomesView {
  bad_imagery: number;
  nothing: number;
  skipped: number;
  tagged: number;
}
/**
 * All that is needed to look at some squares without a network.
 */
export interface Pack {
  assignments: PackCell[];
  campaign: CampaignView1;
  /**
   * Whether there were fewer squares than you asked for.
   */
  exhausted: boolean;
  /**
   * Until then the squares are reserved for you; absent when there are none.
   */
  expires_at?: string | null;
  id: string;
  made_at: string;
  /**
   * When there are none because others hold the last: seconds until the first may come back.
   */
  retry_after_seconds?: number | null;
  tiles: PackTiles;
}
export interface PackCell {
  /**
   * West, south, east, north.
   *
   * @minItems 4
   * @maxItems 4
   */
  bbox: [number, number, number, number];
  /**
   * The square as `z/x/y`.
   */
  cell: string;
  /**
   * Of this square in this pack.
   */
  id: string;
  imagery?: ImageryView3 | null;
  /**
   * Until then nobody else is given the square in your stead. A later look still counts.
   */
  lease_expires_at: string;
  /**
   * `open`, or `answered` when you have looked at it.
   */
  state: string;
}
/**
 * The imagery that volunteers see.
 */
export interface ImageryView3 {
  acquired_at?: string | null;
  attribution: string;
  /**
   * @minItems 4
   * @maxItems 4
   */
  bounds?: [number, number, number, number] | null;
  catalogue_id?: string | null;
  ground_sample_distance_m?: number | null;
  key: string;
  licence?: string | null;
  licence_url?: string | null;
  max_zoom: number;
  min_zoom: number;
  name: string;
  revision: number;
  sensor?: string | null;
  tile_size: number;
  /**
   * Address of a tile with the holes `{z}`, `{x}`, `{y}`, relative to this server.
   */
  tiles: string;
}
/**
 * What volunteers and organisers see of a campaign.
 */
export interface CampaignView1 {
  activity?: Activity1 | null;
  agreement_radius_m: number;
  /**
   * GeoJSON MultiPolygon. Absent in lists and with `area=false`.
   */
  area?: {} | null;
  area_km2: number;
  /**
   * West, south, east, north; west > east across the antimeridian.
   *
   * @minItems 4
   * @maxItems 4
   */
  bbox: [number, number, number, number];
  cell_zoom: number;
  /**
   * Number of squares.
   */
  cells: number;
  closed_at?: string | null;
  created_at: string;
  ends_at?: string | null;
  /**
   * How many days after the close looks are still taken at squares that were given before.
   */
  grace_days: number;
  id: string;
  imagery: ImageryView2;
  /**
   * Key of the imagery layer.
   */
  imagery_layer: string;
  /**
   * Markdown per language.
   */
  instructions: {
    [k: string]: string;
  };
  /**
   * The same as HTML that is safe to show.
   */
  instructions_html: {
    [k: string]: string;
  };
  /**
   * Of its texts, in the organisers' order: whoever reads none of them gets the first.
   */
  languages: string[];
  lease_seconds: number;
  leave_out?: {} | null;
  looks_wanted: number;
  /**
   * What the organisers say while the campaign is paused.
   */
  message?: string | null;
  /**
   * Where a part was left out: the area before, and that part, as GeoJSON. Absent in lists.
   */
  outline?: {} | null;
  /**
   * Absent in lists.
   */
  priorities?: Priority[] | null;
  published_at?: string | null;
  slug: string;
  starts_at?: string | null;
  state: State;
  summary: {
    [k: string]: string;
  };
  tag_types: TagType[];
  title: {
    [k: string]: string;
  };
  updated_at: string;
  /**
   * Grows with each change; it is the ETag.
   */
  version: number;
}
/**
 * The tiles of a pack: take the zooms that your screen needs.
 */
export interface PackTiles {
  /**
   * About how many bytes all of them have.
   */
  bytes_estimate: number;
  /**
   * Of all layers and zooms.
   */
  count: number;
  /**
   * Usually one.
   */
  layers: PackLayerTiles[];
}
export interface PackLayerTiles {
  /**
   * Key of the layer.
   */
  imagery_layer: string;
  tile_size: number;
  /**
   * Address of a tile with the holes `{z}`, `{x}`, `{y}`, relative to this server.
   */
  tiles: string;
  /**
   * From the surroundings of a square to the finest that a large screen needs.
   */
  zooms: PackZoomTiles[];
}
export interface PackZoomTiles {
  /**
   * From the sizes of stored tiles; where none are stored, 20 KiB for each of 256 pixels.
   */
  bytes_estimate: number;
  count: number;
  /**
   * Blocks of tiles: first x, first y, last x, last y. No tile is in two.
   */
  ranges: number[][];
  z: number;
}
/**
 * A pack in the list.
 */
export interface PackEntry {
  expires_at: string;
  id: string;
  made_at: string;
  /**
   * Squares that are not answered.
   */
  open: number;
}
/**
 * What to take along.
 */
export interface PackWanted {
  /**
   * How many squares; there may be fewer left.
   */
  cells: number;
  /**
   * Made by the client, once for each pack; UUIDv7 advised. Send the same again after a lost answer.
   */
  id: string;
  /**
   * How long the squares are reserved for you. A look that comes later is taken all the same.
   */
  lease_hours?: number;
  /**
   * Longitude, latitude: squares close to this place come first.
   *
   * @minItems 2
   * @maxItems 2
   */
  near?: [number, number] | null;
}
export interface Packs {
  packs: PackEntry[];
}
/**
 * What volunteers read while the campaign is paused.
 */
export interface Pause {
  /**
   * In the organiser's words.
   */
  message?: string | null;
}
/**
 * How far a prefetch is.
 */
export interface PrefetchView {
  /**
   * Those that were tried: `fetched`, `kept`, `outside`, `missing` and `failed` together.
   */
  done: number;
  ended_at?: string | null;
  /**
   * They could not be had. Started again, only these and the missing ones are tried.
   */
  failed: number;
  /**
   * Fetched from the source.
   */
  fetched: number;
  /**
   * Key of the layer.
   */
  imagery_layer: string;
  /**
   * They were in the store.
   */
  kept: number;
  left: number;
  /**
   * The source has none there.
   */
  missing: number;
  /**
   * The layer's bounds do not reach there.
   */
  outside: number;
  /**
   * Tiles in a second, of late.
   */
  rate_per_second: number;
  /**
   * At that rate; `null` while nothing moves.
   */
  seconds_left?: number | null;
  started_at?: string | null;
  state: PrefetchState;
  /**
   * Tiles of this run, or those that a run would have.
   */
  tiles: number;
  trouble?: Trouble | null;
  /**
   * Workers that are at it.
   */
  workers: number;
  /**
   * First and last zoom.
   *
   * @minItems 2
   * @maxItems 2
   */
  zooms: [number, number];
}
/**
 * Why nothing moves: the source fails.
 */
export interface Trouble {
  /**
   * For people.
   */
  reason: string;
  /**
   * When the source is asked again.
   */
  retried_at?: string | null;
}
export interface PreparationView {
  cells: number;
  cells_prepared: number;
}
/**
 * What is to be estimated: an area, or instructions, or both.
 */
export interface PreviewOf {
  area?: Area4 | null;
  cell_zoom?: number;
  /**
   * Keys of layers whose coverage of the area is asked for; 50 at most.
   *
   * @maxItems 50
   */
  imagery_layers?: string[];
  /**
   * Markdown per language, to be seen as volunteers will.
   */
  instructions?: {
    [k: string]: string;
  };
  leave_out?: Area5 | null;
  looks_wanted?: number;
  /**
   * @maxItems 50
   */
  priorities?: Priority[];
}
/**
 * GeoJSON as for a campaign.
 */
export interface Area4 {
  /**
   * Of a geometry.
   */
  coordinates?: unknown[];
  /**
   * Of a FeatureCollection.
   */
  features?: unknown[];
  /**
   * Of a Feature.
   */
  geometry?: {};
  type: AreaKind;
}
/**
 * Parts of the area that nobody need search.
 */
export interface Area5 {
  /**
   * Of a geometry.
   */
  coordinates?: unknown[];
  /**
   * Of a FeatureCollection.
   */
  features?: unknown[];
  /**
   * Of a Feature.
   */
  geometry?: {};
  type: AreaKind;
}
/**
 * Instructions as they will be shown.
 */
export interface TextsView {
  /**
   * HTML that is safe to show, per language.
   */
  instructions_html: {
    [k: string]: string;
  };
}
/**
 * An address to try.
 */
export interface ProbeOf {
  /**
   * Deepest zoom that may be tried.
   */
  max_zoom?: number | null;
  min_zoom?: number | null;
  /**
   * Longitude and latitude of a place that the imagery shows.
   *
   * @minItems 2
   * @maxItems 2
   */
  near?: [number, number] | null;
  /**
   * Values of the secret holes by name.
   */
  secrets?: {
    [k: string]: string;
  };
  /**
   * The very tile to try, as `z/x/y`.
   */
  tile?: string | null;
  /**
   * An address with holes as for a layer; the address of one tile, a `tms[2,19]:` prefix or
   * `%7Bz%7D` are understood too.
   */
  url_template: string;
}
/**
 * What the address is and what came from it.
 */
export interface ProbeView {
  bytes: number;
  height: number;
  /**
   * `xyz`, `tms`, `quadkey`, `wmts` or `wms`.
   */
  kind: string;
  max_zoom?: number | null;
  media_type: string;
  /**
   * Until the tile was here.
   */
  millis: number;
  /**
   * Zooms that the address itself named.
   */
  min_zoom?: number | null;
  /**
   * Secrets that stood in the address. Their values are never shown again.
   */
  secrets_found: string[];
  /**
   * The tile that came.
   */
  tile: string;
  /**
   * The address as a layer takes it, with holes in the place of secrets.
   */
  url_template: string;
  width: number;
}
/**
 * The problem on the wire.
 */
export interface Problem1 {
  /**
   * Stable; branch on this, never on texts.
   */
  code: string;
  /**
   * What was found, what is needed, what to do.
   */
  detail: string;
  /**
   * Always true; only below `/v1/sync/`, where clients look for it.
   */
  error?: boolean | null;
  /**
   * Fields that were refused.
   */
  errors?: FieldError[];
  /**
   * What the organisers say, where they said something.
   */
  message?: string | null;
  /**
   * The same as the header `X-Request-Id`; name it when you report the problem.
   */
  request_id?: string | null;
  /**
   * The HTTP status.
   */
  status: number;
  /**
   * The status in words.
   */
  title: string;
  /**
   * A URI reference that names the kind of problem; the part after `#` is the `code`.
   */
  type: string;
}
/**
 * How far the cells are made, while the campaign is being prepared or its area or priorities
 * changed; `null` when all is as the campaign says.
 */
export interface PreparationView1 {
  cells: number;
  cells_prepared: number;
}
/**
 * Looks over time.
 */
export interface RatesView {
  from: string;
  /**
   * Oldest first. A step that is left out had no looks; after `as_of` nothing is known.
   */
  points: RateView[];
  /**
   * Length of a step.
   */
  step_seconds: number;
  to: string;
}
/**
 * Looks of one step.
 */
export interface RateView {
  looks: number;
  start: string;
}
export interface Pulled {
  /**
   * By table.
   */
  changes: {
    [k: string]: TableChanges;
  };
  /**
   * There is more than fits into one answer: synchronize again.
   */
  more: boolean;
  /**
   * No time, but where to go on: send it as `last_pulled_at`.
   */
  timestamp: number;
}
/**
 * What is new in one table.
 */
export interface TableChanges {
  /**
   * Always empty: use `sendCreatedAsUpdated`.
   */
  created: {}[];
  /**
   * Ids.
   */
  deleted: string[];
  updated: {}[];
}
/**
 * One document that a client made, changed or deleted.
 */
export interface PushedRow {
  /**
   * What the client believes to be here; absent for what is new.
   */
  assumedMasterState?: {} | null;
  /**
   * The document as it is to be, with `_deleted`.
   */
  newDocumentState: {};
}
export interface PushedTable {
  created?: {}[];
  /**
   * Ids.
   */
  deleted?: string[];
  updated?: {}[];
}
/**
 * What was acknowledged.
 */
export interface Receipt {
  /**
   * Version of the campaign under which the look is kept.
   */
  campaign_version: number;
  cell: string;
  id: string;
  outcome: Outcome;
  /**
   * When it was stored, by the server's clock.
   */
  received_at: string;
  /**
   * Ids of the tags that were sent with it.
   */
  tags: string[];
}
/**
 * What became of a look.
 */
export interface ReceiptDocument {
  /**
   * The campaign's id; as it was sent when it names none.
   */
  campaign?: string | null;
  /**
   * The square; as it was sent when the look was refused.
   */
  cell?: string | null;
  /**
   * Code of the problem, when it was refused.
   */
  code?: string | null;
  /**
   * For people.
   */
  detail?: string | null;
  /**
   * Of the look.
   */
  id: string;
  standing?: ("after_close" | "while_paused" | "extra" | "counted") | null;
  /**
   * `stored` or `refused`.
   */
  verdict: string;
}
export interface RenewalView {
  cell: string;
  /**
   * The end of the lease, when it was renewed. It never becomes shorter.
   */
  lease_expires_at?: string | null;
  /**
   * `renewed`; `answered` when you have looked at it already; `not_given` when it was not given to
   * you.
   */
  verdict: string;
}
/**
 * Which leases are to be renewed.
 */
export interface RenewalWanted {
  /**
   * Squares as `z/x/y`.
   *
   * @minItems 1
   * @maxItems 50
   */
  cells: [string, ...string[]];
  /**
   * How long they are to be reserved from now on, instead of the campaign's `lease_seconds`.
   */
  lease_seconds?: number | null;
}
export interface RenewalsView {
  results: RenewalView[];
}
/**
 * What became of one look of a batch.
 */
export interface ResultView {
  /**
   * As it was sent; null when the look has none that can be read.
   */
  id?: {
    [k: string]: unknown;
  };
  problem?: Problem2 | null;
  standing?: ("after_close" | "while_paused" | "extra" | "counted") | null;
  /**
   * `created`, `repeated` (stored before), `conflict` (another look has that id) or `invalid`.
   */
  verdict: string;
}
/**
 * Why it was not stored.
 */
export interface Problem2 {
  /**
   * Stable; branch on this, never on texts.
   */
  code: string;
  /**
   * What was found, what is needed, what to do.
   */
  detail: string;
  /**
   * Always true; only below `/v1/sync/`, where clients look for it.
   */
  error?: boolean | null;
  /**
   * Fields that were refused.
   */
  errors?: FieldError[];
  /**
   * What the organisers say, where they said something.
   */
  message?: string | null;
  /**
   * The same as the header `X-Request-Id`; name it when you report the problem.
   */
  request_id?: string | null;
  /**
   * The HTTP status.
   */
  status: number;
  /**
   * The status in words.
   */
  title: string;
  /**
   * A URI reference that names the kind of problem; the part after `#` is the `code`.
   */
  type: string;
}
export interface ResultsView {
  /**
   * One for each look, in order.
   */
  results: ResultView[];
}
/**
 * Where to go on; send its members with the next pull.
 */
export interface RxdbCheckpoint {
  /**
   * Safe in an address.
   */
  id: string;
  /**
   * A whole number below 2^53.
   */
  lwt: number;
}
/**
 * A tag.
 */
export interface TagDocument {
  /**
   * The campaign's id; its slug can be pushed too.
   */
  campaign: string;
  /**
   * GeoJSON geometry of the tag type's kind, within the look's square; 500 vertices at most.
   */
  geometry: {};
  id: string;
  look_id: string;
  /**
   * 500 characters at most.
   */
  note?: string | null;
  /**
   * Key of one of the campaign's tag types.
   */
  tag_type: string;
}
/**
 * Documents that changed, in the order of their changes.
 */
export interface RxdbPage {
  checkpoint: RxdbCheckpoint;
  /**
   * As many as were asked for, unless these are all. Repetitions fill up what would be too many
   * bytes.
   *
   * @maxItems 1000
   */
  documents: RxdbDocument[];
}
/**
 * How the service is run.
 */
export interface ServiceMode {
  /**
   * Of a hundred volunteers so many are let in; the others are told to come back.
   */
  admit_percent: number;
  changed_at: string;
  /**
   * What the operators say to people.
   */
  message?: string | null;
  mode: Mode;
}
/**
 * How somebody signs up.
 */
export interface SignUp {
  /**
   * Made by the device, once, from the system's generator of random bytes, also without a network, and told to
   * nobody but this call: who has it is the volunteer. Without one each call makes another volunteer.
   */
  device_secret?: string | null;
}
/**
 * A new anonymous volunteer.
 */
export interface SignedUp1 {
  /**
   * Send it as `Authorization: Bearer`. It does not lapse; keep it, or the looks are another volunteer's.
   */
  token: string;
  /**
   * A random number, not a name.
   */
  volunteer_id: string;
}
/**
 * What is to be fetched ahead.
 */
export interface StartOf {
  /**
   * First and last zoom; unless told, those of before, at first those that the volunteers' page
   * loads.
   *
   * @minItems 2
   * @maxItems 2
   */
  zooms?: [number, number] | null;
}
/**
 * GeoJSON, with the address of the next page.
 */
export interface TagCollection {
  features: TagFeature[];
  next?: string | null;
  type: string;
}
/**
 * A tag as a GeoJSON feature.
 */
export interface TagFeature {
  /**
   * GeoJSON geometry.
   */
  geometry: {};
  id: string;
  properties: TagProperties;
  type: string;
}
export interface TagProperties {
  campaign_version: number;
  /**
   * The square as `z/x/y`.
   */
  cell: string;
  look_id: string;
  note?: string | null;
  received_at: string;
  /**
   * Grows with each edit; it is the ETag.
   */
  revision: number;
  tag_type: string;
  updated_at: string;
  /**
   * A random number, not a name.
   */
  volunteer_id: string;
}
/**
 * What changes of a tag; what is absent stays.
 */
export interface TagEdit {
  /**
   * GeoJSON geometry within the square of the look.
   */
  geometry?: {} | null;
  /**
   * `""` removes the note.
   */
  note?: string | null;
  tag_type?: string | null;
}
/**
 * A ticket, good for any number of streams until it ends. A stream that is open stays open.
 */
export interface Ticket {
  expires_at: string;
  /**
   * Send it as the query's `ticket`.
   */
  ticket: string;
}
/**
 * `TileJSON` 3.0.0 of a raster layer.
 */
export interface TileJson {
  /**
   * As HTML, which clients put on the map.
   */
  attribution: string;
  /**
   * West, south, east, north.
   *
   * @minItems 4
   * @maxItems 4
   */
  bounds: [number, number, number, number];
  /**
   * Longitude, latitude, zoom.
   *
   * @minItems 3
   * @maxItems 3
   */
  center: [number, number, number];
  description?: string | null;
  maxzoom: number;
  minzoom: number;
  name: string;
  scheme: string;
  /**
   * Side of a tile in pixels, as `MapLibre` reads it.
   */
  tileSize: number;
  tilejson: string;
  /**
   * One template with `{z}`, `{x}` and `{y}`.
   *
   * @minItems 1
   * @maxItems 1
   */
  tiles: [string];
  /**
   * None, but the schema of 3.0.0 demands the member.
   *
   * @maxItems 0
   */
  vector_layers: [];
  /**
   * The layer's revision as a semantic version.
   */
  version: string;
}
/**
 * What keeps a prefetch from going on.
 */
export interface Trouble1 {
  /**
   * For people.
   */
  reason: string;
  /**
   * When the source is asked again.
   */
  retried_at?: string | null;
}
/**
 * How many squares, near what, for how long.
 */
export interface Wanted {
  count?: number;
  /**
   * How long the squares are to be reserved, instead of the campaign's `lease_seconds`: hours or
   * days for who takes them to where there is no network. Until then they are kept for you, also
   * when they are the last.
   */
  lease_seconds?: number | null;
  /**
   * Longitude, latitude: squares next to this place or close to it come first, within 12 squares.
   * They are squares that would come soon anyway: of the heaviest priority that is open, and none
   * that has more than one look or lease beyond the least looked at.
   *
   * @minItems 2
   * @maxItems 2
   */
  near?: [number, number] | null;
}
