/**
 * Why an area was refused, in the form in which it is told: what was found, what is needed, what to do.
 *
 * Invariant: no word of the server is lost: what cannot be sorted stands under "found".
 */
import type { ProblemBody } from "../../shared/contract.ts";
import type { FieldError } from "../../shared/openapi.ts";

export type RefusalTitle = "no_area" | "wrong_degrees" | "too_much" | "not_geojson" | "area_refused" | "server";

export interface Refusal {
  title: RefusalTitle;
  found: string;
  needed: string;
  todo: string;
  /** How many more places have errors. */
  more: number;
}

/** Words with which the server begins what is to be done. */
const ADVICE = /^(draw|remove|put|send|simplify|make|give|choose|convert|join|close)\b/i;

/** Sorts one text of the server: "found …; … is needed. Do this." */
export function sorted(detail: string): Pick<Refusal, "found" | "needed" | "todo"> {
  const semicolon = detail.indexOf("; ");
  const found = (semicolon === -1 ? detail : detail.slice(0, semicolon)).replace(/^found /, "");
  const rest = semicolon === -1 ? "" : detail.slice(semicolon + 2);
  if (ADVICE.test(rest)) return { found: sentence(found), needed: "", todo: sentence(rest) };
  const full = /\. (?=[A-Z])/.exec(rest);
  if (full)
    return {
      found: sentence(found),
      needed: sentence(rest.slice(0, full.index)),
      todo: sentence(rest.slice(full.index + 2)),
    };
  // "a ring needs at least 3: remove it or draw it again"
  const colon = rest.indexOf(": ");
  if (colon !== -1 && ADVICE.test(rest.slice(colon + 2)))
    return { found: sentence(found), needed: sentence(rest.slice(0, colon)), todo: sentence(rest.slice(colon + 2)) };
  return { found: sentence(found), needed: sentence(rest), todo: "" };
}

/** The refusal of an area, or null when the errors are of something else. The two worst things are told, of two kinds. */
export function refusalOf(body: ProblemBody, pointer = "/area"): Refusal | null {
  const errors = (body.errors ?? []).filter((error) => error.pointer.startsWith(pointer));
  const worst = [...errors].sort((a, b) => weight(a) - weight(b));
  const [first] = worst;
  if (!first) return null;
  const second = worst.find((error) => titleOf(error.detail) !== titleOf(first.detail));
  const told = [first, ...(second ? [second] : [])].map((error) => sorted(error.detail));
  const all = (of: "found" | "needed" | "todo") =>
    told
      .map((parts) => parts[of])
      .filter(Boolean)
      .join(" ");
  return {
    title: titleOf(first.detail),
    found: all("found"),
    needed: all("needed"),
    todo: all("todo"),
    more: errors.length - told.length,
  };
}

/** The kind of the worst thing goes first: no area at all, then the wrong coordinates, then the rest. */
const ORDER: readonly RefusalTitle[] = ["no_area", "not_geojson", "wrong_degrees", "too_much", "area_refused"];
const weight = (error: FieldError): number => ORDER.indexOf(titleOf(error.detail));

function titleOf(detail: string): RefusalTitle {
  if (/Point|LineString|no polygon|without geometry|found no /.test(detail)) return "no_area";
  if (/projected|swapped|latitude \S+;|coordinate system/.test(detail)) return "wrong_degrees";
  if (/more than|cells would be needed|too often/.test(detail)) return "too_much";
  if (/GeoJSON|must be an array|without `type`|the type /.test(detail)) return "not_geojson";
  return "area_refused";
}

function sentence(text: string): string {
  const trimmed = text.trim();
  if (!trimmed) return "";
  const capital = trimmed[0]!.toUpperCase() + trimmed.slice(1);
  return /[.!?`”"]$|\.\)$/.test(capital) ? capital : `${capital}.`;
}
