/** Fails when a page has grown beyond its budget (brotli, as the server sends it). Run after `npm run build`. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const DIST = fileURLToPath(new URL("../dist", import.meta.url));
const ASSETS = join(DIST, "assets");
const KIB = 1024;

if (!existsSync(ASSETS)) {
  console.error("No build in dist/: run `npm run build` first.");
  process.exit(1);
}

const size = (path) => statSync(`${path}.br`).size;
const page = readFileSync(join(DIST, "volunteer.html"), "utf8");
const names = readdirSync(ASSETS).filter((name) => /\.(m?js|css)$/.test(name));
const total = (list) => list.reduce((sum, name) => sum + size(join(ASSETS, name)), 0);

/** Everything that volunteer.html names, and what that names in turn. */
function reach(text, found = new Set()) {
  for (const name of names) {
    if (found.has(name) || !text.includes(name)) continue;
    found.add(name);
    reach(readFileSync(join(ASSETS, name), "utf8"), found);
  }
  return found;
}

const reached = [...reach(page)];
const scripts = reached.filter((name) => name.endsWith(".js"));
const styles = reached.filter((name) => name.endsWith(".css"));
const worker = names.filter((name) => name.includes("maplibre-gl-worker"));
const maplibre = scripts.filter((name) => name.startsWith("maplibre-"));
const locale = scripts.filter((name) => /^[a-z]{2}-/.test(name));
const app = [...scripts.filter((name) => !maplibre.includes(name) && !locale.includes(name)), ...styles];
const boot = [...page.matchAll(/<script>([\s\S]*?)<\/script>/g)].reduce(
  (sum, match) => sum + Buffer.byteLength(match[1]),
  0,
);
const html = size(join(DIST, "volunteer.html"));
const organiser = names.filter((name) => /^organise-/.test(name));

const lines = [
  ["volunteer HTML with critical style", html, 8 * KIB],
  ["boot script, not compressed", boot, 4 * KIB],
  ["app", total(app), 60 * KIB],
  ["MapLibre", total(maplibre), 300 * KIB],
  ["locale", total(locale), 6 * KIB],
  ["all, with worker", html + total([...app, ...maplibre, ...locale, ...worker]), 600 * KIB],
  ["organiser's own chunk (no limit)", total(organiser), Infinity],
];

let failed = maplibre.length !== 1 || locale.length !== 1 || worker.length !== 1 || organiser.length === 0;
if (failed) console.error("The build has other chunks than this script knows; adapt it.");
if (app.some((name) => organiser.includes(name))) {
  console.error("The volunteer's page loads the organiser's code.");
  failed = true;
}
for (const [what, bytes, limit] of lines) {
  const over = bytes > limit;
  failed ||= over;
  console.log(
    `${over ? "OVER " : "ok   "}${what}: ${(bytes / KIB).toFixed(1)} KiB${limit === Infinity ? "" : ` of ${limit / KIB}`}`,
  );
}
process.exit(failed ? 1 : 0);
