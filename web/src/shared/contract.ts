/**
 * The shapes which the HTTP API sends and takes, under the names that the pages use.
 *
 * Invariant: nothing is written down here that the OpenAPI document says; what is narrowed is what the server
 * always fills in, or what JSON Schema cannot say (GeoJSON, a string that is one of a few).
 */
import type * as api from "./openapi.ts";

export type LonLat = [number, number];
/** west, south, east, north; west > east when the box crosses the antimeridian. */
export type BBox = [number, number, number, number];
/** A text in several languages, by BCP 47 tag. */
export type Texts = Record<string, string>;

/** In answers every member is there: what has no value is null. */
type Filled<T> = { [K in keyof T]-?: Exclude<T[K], undefined> };
type Narrowed<T, N> = Omit<Filled<T>, keyof N> & N;

export type IconName = "triangle" | "circle" | "square" | "diamond" | "hexagon" | "pentagon" | "cross" | "star";
export type GeometryKind = "Point" | "LineString" | "Polygon";
export type MultiPolygon = { type: "MultiPolygon"; coordinates: LonLat[][][] };
export type Geometry =
  | { type: "Point"; coordinates: LonLat }
  | { type: "LineString"; coordinates: LonLat[] }
  | { type: "Polygon"; coordinates: LonLat[][] };

export type TagType = Narrowed<
  api.TagType,
  { colour: string; icon: IconName; geometry: GeometryKind; examples: LonLat[]; description: Texts | null }
>;
export type Imagery = Filled<api.ImageryView>;
/** How the operators run the service at the moment. */
export type ServiceMode = Filled<api.ServiceMode>;
export type CampaignState = api.State;
/** An area that is searched first. */
export type Priority = Omit<api.Priority, "area"> & { area: MultiPolygon; name?: string | null };
export type Campaign = Narrowed<
  Omit<api.CampaignView, "activity">,
  {
    area: MultiPolygon;
    tag_types: TagType[];
    imagery: Imagery;
    priorities: Priority[] | null;
    /** The area before leaving out, for organisers; null when the area is the outline. */
    outline?: MultiPolygon | null;
    leave_out?: MultiPolygon | null;
  }
>;

/**
 * `imagery` is that of this square, where it has another than the campaign's; `pack` the pack that it was taken along
 * in.
 */
export type Assignment = Omit<api.AssignmentView, "imagery"> & { imagery?: Imagery | null; pack?: string };
/** Squares to take along; the campaign's area is not told again. */
export type Pack = Omit<api.Pack, "campaign" | "assignments"> & {
  campaign: Omit<Campaign, "area">;
  assignments: (Omit<api.PackCell, "imagery"> & { imagery?: Imagery | null })[];
};
export type OtherCampaign = Omit<api.OtherCampaign, "title"> & { title: Texts };
/** `volunteer` is who signed up by asking, for those who asked without a token. */
export type Assignments = Narrowed<
  Omit<api.DealView, "volunteer" | "other_campaigns">,
  { assignments: Assignment[]; volunteer?: api.SignedUp | null; other_campaigns?: OtherCampaign[] | null }
>;

export type Outcome = api.Outcome;
export type NewTag = Omit<api.NewTag, "geometry" | "note"> & { geometry: Geometry; note?: string };
export type NewLook = Omit<api.NewLook, "tags"> & { tags: NewTag[] };
export type Verdict = {
  id: string;
  verdict: "created" | "repeated" | "conflict" | "invalid";
  problem?: ProblemBody;
};
/** What a failed request says; nothing is certain, because something between here and the server may have answered. */
export type ProblemBody = Partial<Pick<api.Problem, "title" | "detail" | "code" | "errors">> & {
  message?: string | null;
  request_id?: string;
};

/** Looks by steps of time; a step that is left out had none. */
export type Rates = api.RatesView;
export type Period = "hour" | "day" | "all";
export type Progress = Filled<api.ProgressView>;
export type ProgressCells = api.MapView;
export type Block = api.BlockView;
/** A cell that waits for the organiser, or about which something was decided. */
export type ListedCell = Filled<api.ListedCellView>;
export type ListedCells = { cells: ListedCell[]; next?: string | null };
export type CellState = api.CellState;
export type CellDecision = Omit<api.Decision, "cells"> & { cells: string[] };
export type CellResult = Omit<api.CellResult, "verdict" | "problem"> & {
  verdict: "changed" | "unchanged" | "invalid";
  problem?: ProblemBody | null;
};
/** Tiles that are fetched before volunteers ask for them. */
export type Prefetch = Narrowed<api.PrefetchView, { zooms: [number, number] }>;
export type PrefetchFailure = api.FailureView;
/** What is known of one cell. */
export type CellView = Narrowed<api.CellView, { answers: CellAnswer[] }>;
export type CellAnswer = Omit<api.AnswerView, "outcome"> & { outcome: Outcome };
export type Download = Omit<api.DownloadView, "name"> & { name: "tags.geojson" | "tags.csv" | "looks.csv" };
export type TagFeature = Omit<api.TagFeature, "geometry" | "properties"> & {
  geometry: Geometry;
  properties: Filled<api.TagProperties>;
};
export type TagPage = { features: TagFeature[]; next?: string | null };
