/** Fails when a page has grown beyond its budget (brotli, as the server sends it). Run after `npm run build`. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const DIST = process.env.DIST ?? fileURLToPath(new URL("../dist", import.meta.url));
const KIB = 1024;
const LIST = join(DIST, ".chunks.json");

if (!existsSync(LIST)) {
  console.error("No build in dist/: run `npm run build` first.");
  process.exit(1);
}

const chunks = JSON.parse(readFileSync(LIST, "utf8"));
const find = (file) => chunks.find((chunk) => chunk.file === file);
const entry = (page) => chunks.find((chunk) => chunk.isEntry && chunk.of === page);
const has = (chunk, pattern) => chunk.modules.some((id) => pattern.test(id));
const isWords = (chunk) => /^src\/words\//.test(chunk.of ?? "");
const isMapLibre = (chunk) => has(chunk, /node_modules\/maplibre-gl\//);
const isPseudo = (chunk) => chunk.of === "src/words/pseudo.ts";

/** A page's chunks: what it starts with, and everything that it may load later. */
function reach(from, found = new Set()) {
  if (!from || found.has(from)) return found;
  found.add(from);
  for (const file of from.imports) reach(find(file), found);
  return found;
}

const compressed = (file) => statSync(join(DIST, `${file}.br`)).size;
const unique = (list) => [...new Set(list)];
const weight = (list) =>
  unique(list.flatMap((chunk) => [chunk.file, ...chunk.styles])).reduce((sum, file) => sum + compressed(file), 0);

const volunteer = [...reach(entry("volunteer.html"))];
const organiser = [...reach(entry("organise.html"))];
const start = [...reach(entry("index.html"))];
const code = (list) => list.filter((chunk) => !isWords(chunk) && !isMapLibre(chunk));
const words = (list) => list.filter((chunk) => isWords(chunk) && !isPseudo(chunk));
/** A lazily loaded part of the organiser's pages, without what other parts bring. */
const part = (name) => chunks.filter((chunk) => chunk.of && new RegExp(`src/organiser/${name}/`).test(chunk.of));

const worker = readdirSync(join(DIST, "assets")).filter((name) => /maplibre-gl-worker.*\.m?js$/.test(name));
const page = readFileSync(join(DIST, "volunteer.html"), "utf8");
const boot = [...page.matchAll(/<script>([\s\S]*?)<\/script>/g)].reduce(
  (sum, match) => sum + Buffer.byteLength(match[1]),
  0,
);
const html = compressed("volunteer.html");
const volunteerWords = words(volunteer).map((chunk) => [`volunteer's words, ${chunk.of}`, weight([chunk]), 6 * KIB]);
const organiserWords = words(organiser).map((chunk) => [`organiser's words, ${chunk.of}`, weight([chunk]), 12 * KIB]);
const largest = Math.max(0, ...volunteerWords.map(([, bytes]) => bytes));
const maplibre =
  weight(volunteer.filter(isMapLibre)) + worker.reduce((sum, name) => sum + compressed(`assets/${name}`), 0);

const lines = [
  ["volunteer HTML with critical style", html, 8 * KIB],
  ["boot script, not compressed", boot, 4 * KIB],
  ["volunteer's app", weight(code(volunteer)), 60 * KIB],
  ["MapLibre without its worker", weight(volunteer.filter(isMapLibre)), 300 * KIB],
  ...volunteerWords,
  [
    "volunteer's page in all, with worker and one language",
    html + weight(code(volunteer)) + maplibre + largest,
    600 * KIB,
  ],
  [
    "start page in all, with one language",
    weight(code(start)) + Math.max(0, ...words(start).map((c) => weight([c]))),
    60 * KIB,
  ],
  ...organiserWords,
  ["live page's part", weight(part("live")), 40 * KIB],
  ["wizard's parts", weight(part("wizard")), 60 * KIB],
  ["organiser's pages in all, without MapLibre and words", weight(code(organiser)), 220 * KIB],
  ["busy page, not compressed", statSync(join(DIST, "busy.html")).size, 10 * KIB],
];

const wrong = [
  [worker.length !== 1 || volunteer.filter(isMapLibre).length !== 1, "MapLibre is not one chunk and one worker."],
  [volunteerWords.length < 2 || organiserWords.length < 2, "There is not one chunk for each language."],
  [volunteer.some((chunk) => has(chunk, /^src\/organiser\//)), "The volunteer's page can load the organiser's code."],
  [volunteer.some((chunk) => has(chunk, /terra-draw/)), "The volunteer's page can load the drawing library."],
  [chunks.some((chunk) => isWords(chunk) && has(chunk, /^src\/(?!words\/)/)), "A catalogue's chunk holds code."],
  [part("live").length === 0 || part("wizard").length === 0, "Live page and wizard are no chunks of their own."],
  [part("live").some((chunk) => has(chunk, /terra-draw/)), "The live page holds the drawing library."],
  [
    /<(link|script)[^>]+(words|maplibre)/.test(page.replace(/words-[\w-]+\.js/g, "")),
    "The page preloads what it may not need.",
  ],
]
  .filter(([isWrong]) => isWrong)
  .map(([, text]) => text);

for (const [what, bytes, limit] of lines) {
  if (bytes > limit) wrong.push(`Over budget: ${what}.`);
  console.log(`${bytes > limit ? "OVER " : "ok   "}${what}: ${(bytes / KIB).toFixed(1)} KiB of ${limit / KIB}`);
}
for (const text of wrong) console.error(text);
process.exit(wrong.length > 0 ? 1 : 0);
