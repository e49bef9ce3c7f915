/**
 * Puts the boot script and the critical style into volunteer.html. The boot script gets the names of the app's
 * scripts and asks for them when its own requests are on their way: named in the HTML they would go first.
 *
 * Invariant: what is inlined is static bytes, because the server hashes them for its content security policy.
 */

import { fileURLToPath } from "node:url";
import { build, type Plugin, type Rolldown } from "vite";

const ENTRY = fileURLToPath(new URL("../src/volunteer/boot.ts", import.meta.url));

/** The entry's script and what Vite preloads for it. */
const MODULES = /\s*<(?:script type="module"[^>]*><\/script>|link rel="modulepreload"[^>]*>)/g;

type Bundle = Record<string, Rolldown.OutputChunk | Rolldown.OutputAsset>;

/**
 * MapLibre and what wraps it: the page fetches these when its first image is whole, not ahead. And what takes squares
 * along, which few want.
 */
const LATER = ["map", "maplibre", "Packs", "take"];
/** Catalogues: which one is needed is known only in the browser. */
const WORDS = /\/src\/words\//;

/** The scripts that the page's entry reaches, but for those. */
function reachable(bundle: Bundle, entry: string): Rolldown.OutputChunk[] {
  const found = new Map<string, Rolldown.OutputChunk>();
  const visit = (name: string) => {
    const file = bundle[name];
    if (file?.type !== "chunk" || found.has(name) || LATER.includes(file.name)) return;
    if (WORDS.test(file.facadeModuleId ?? "")) return;
    found.set(name, file);
    [...file.imports, ...file.dynamicImports].forEach(visit);
  };
  visit(entry);
  return [...found.values()];
}

async function bundleBoot(later: string[]): Promise<{ script: string; style: string }> {
  const result = await build({
    configFile: false,
    logLevel: "error",
    publicDir: false,
    define: { LATER: JSON.stringify(later) },
    build: {
      write: false,
      minify: true,
      cssMinify: true,
      target: "es2022",
      lib: { entry: ENTRY, formats: ["iife"], name: "spotterBootBundle", fileName: "boot" },
    },
  });
  const outputs = (Array.isArray(result) ? result : [result]) as Rolldown.RolldownOutput[];
  let script = "";
  let style = "";
  for (const file of outputs.flatMap((output) => output.output)) {
    if (file.type === "chunk") script += file.code;
    else if (file.fileName.endsWith(".css")) style += String(file.source);
  }
  return { script: script.trim(), style: style.trim() };
}

/** Vite plugin: see the module comment. */
export function inlineBoot(): Plugin {
  return {
    name: "spotter-inline-boot",
    transformIndexHtml: {
      order: "post",
      async handler(html, context) {
        if (!context.filename.endsWith("volunteer.html")) return html;
        const entry = context.chunk?.fileName;
        const later = entry
          ? reachable(context.bundle as Bundle, entry).map(({ fileName }) => fileName.replace("assets/", ""))
          : [];
        const { script, style } = await bundleBoot(later);
        // While developing there is no bundle, and the page keeps its own script.
        return (entry ? html.replace(MODULES, "") : html)
          .replace("<!--critical-style-->", () => `<style>${style}</style>`)
          .replace("<!--boot-script-->", () => `<script>${script}</script>`);
      },
    },
  };
}
