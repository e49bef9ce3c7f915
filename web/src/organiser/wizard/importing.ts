/** A file, or pasted text, on its way to becoming parts of the area: read here, judged and repaired by the server. */
import { signal } from "@preact/signals";
import type { Problem } from "../../shared/api.ts";
import type { Preview } from "./api.ts";
import type { FileFacts, PartKind } from "./draft.ts";
import { previewCall } from "./estimate.ts";
import { FILE_BYTES_MOST, type FileFault, factsOf, partsOfFile, readFile } from "./file.ts";
import { boxOf } from "./geometry.ts";
import { say } from "./language.ts";
import { showBox, tool } from "./mapview.ts";
import { type Refusal, refusalOf } from "./refusal.ts";
import { cellZoom, change, draft } from "./state.ts";

export type Importing =
  | { at: "none" }
  | { at: "reading"; name: string }
  | { at: "fault"; name: string; fault: FileFault; bytes: number }
  | { at: "refused"; name: string; refusal: Refusal }
  | { at: "failed"; name: string; problem: Problem; again: () => void };

export const importing = signal<Importing>({ at: "none" });
/** What a file or typed text becomes. */
export const kind = signal<PartKind>("area");

export async function takeFile(file: File): Promise<void> {
  importing.value = { at: "reading", name: file.name };
  // The first bytes are enough to refuse what is too big to be read.
  const part = file.size > FILE_BYTES_MOST ? file.slice(0, FILE_BYTES_MOST + 1) : file;
  const read = readFile(file.name, new Uint8Array(await part.arrayBuffer()));
  if ("fault" in read)
    importing.value = { at: "fault", name: file.name, fault: read.fault, bytes: Math.max(read.bytes, file.size) };
  else await takeGeoJson(file.name, read.json, factsOf(file.name, read.json));
}

/** Text that was typed or pasted: GeoJSON. */
export async function takeText(name: string, text: string): Promise<void> {
  const read = readFile(name, new TextEncoder().encode(text));
  if ("fault" in read) importing.value = { at: "fault", name, fault: read.fault, bytes: read.bytes };
  else await takeGeoJson(name, read.json);
}

/** `facts` are those of a file; typed coordinates have none. */
export async function takeGeoJson(name: string, json: unknown, facts: FileFacts | null = null): Promise<void> {
  importing.value = { at: "reading", name };
  const wanted = kind.value;
  try {
    const answer = await previewCall({ area: json, cell_zoom: cellZoom.value, looks_wanted: draft.value.looksWanted });
    accept(facts, wanted, answer);
    importing.value = { at: "none" };
  } catch (error) {
    const problem = error as Problem;
    const refusal = problem.status === 422 || problem.status === 400 ? refusalOf(problem.body, "") : null;
    importing.value = refusal
      ? { at: "refused", name, refusal }
      : { at: "failed", name, problem, again: () => void takeGeoJson(name, json, facts) };
  }
}

/** Which way round a ring runs is nobody's concern but the server's. */
const UNTOLD = new Set(["winding_fixed"]);

function accept(facts: FileFacts | null, wanted: PartKind, answer: Preview): void {
  const geometry = answer.outline ?? answer.area!;
  const repairs = answer.notes
    .filter((note) => !UNTOLD.has(note.code))
    .map(({ detail, place }) => ({ text: detail, place: place ?? null }));
  const parts = partsOfFile(facts, geometry, wanted, repairs, (n) => say("hole_name", { n: String(n) }));
  // A second file for the area takes the place of the first: "Replace" is what the button says.
  for (const part of draft.value.parts)
    if (facts && wanted === "area" && part.kind === "area" && part.file) change({ what: "remove_part", id: part.id });
  change({ what: "add_parts", parts });
  // What was being drawn has come another way.
  tool.value = null;
  const box = boxOf(parts.map((part) => part.geometry));
  if (box) showBox(box);
}
