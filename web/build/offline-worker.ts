/**
 * Writes the volunteer's service worker as offline.js, with the names of the files that its page needs and the hash of
 * the page.
 *
 * Invariant: another page or another file makes another worker, so that browsers notice.
 */
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type Plugin, type Rolldown } from "vite";

const ENTRY = fileURLToPath(new URL("../src/offline/worker.ts", import.meta.url));
const PAGE = "volunteer.html";
/** For finding texts that were never translated; nobody needs it without a network. */
const UNNEEDED = /\/src\/words\/pseudo\.ts$/;

/** What the page loads at once or later: scripts, styles, and files that scripts name (the map's worker). */
export function filesOf(bundle: Rolldown.OutputBundle): string[] {
  const found = new Set<string>();
  const visit = (name: string) => {
    const file = bundle[name];
    if (file?.type !== "chunk" || found.has(name) || UNNEEDED.test(file.facadeModuleId ?? "")) return;
    found.add(name);
    for (const asset of [...(file.viteMetadata?.importedCss ?? []), ...(file.viteMetadata?.importedAssets ?? [])])
      found.add(asset);
    [...file.imports, ...file.dynamicImports].forEach(visit);
  };
  const entry = Object.values(bundle).find(
    (file) => file.type === "chunk" && file.isEntry && file.facadeModuleId?.endsWith(`/${PAGE}`),
  );
  if (entry) visit(entry.fileName);
  return [...found].sort();
}

async function bundleWorker(define: Record<string, string>): Promise<string> {
  const result = await build({
    configFile: false,
    logLevel: "error",
    publicDir: false,
    define,
    build: {
      write: false,
      minify: true,
      target: "es2022",
      lib: { entry: ENTRY, formats: ["iife"], name: "spotterOffline", fileName: "offline" },
    },
  });
  const [output] = (Array.isArray(result) ? result : [result]) as Rolldown.RolldownOutput[];
  return output!.output[0].code;
}

/** Vite plugin: see the module comment. */
export function offlineWorker(): Plugin {
  return {
    name: "spotter-offline-worker",
    apply: "build",
    // When the page is written, as the other plugins made it.
    async writeBundle({ dir }, bundle) {
      const page = readFileSync(join(dir!, PAGE));
      const files = filesOf(bundle).map((name) => `/${name}`);
      const code = await bundleWorker({
        FILES: JSON.stringify([...files, "/favicon.svg"]),
        PAGE_SHA256: JSON.stringify(createHash("sha256").update(page).digest("hex")),
      });
      writeFileSync(join(dir!, "offline.js"), code);
    },
  };
}
