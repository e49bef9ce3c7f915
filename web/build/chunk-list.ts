/** Notes which chunk holds and reaches what, for build/budget.mjs; the pages never see it. */
import type { Plugin } from "vite";

/** Vite plugin: see the module comment. */
export function chunkList(): Plugin {
  return {
    name: "spotter-chunk-list",
    apply: "build",
    generateBundle: {
      // After Vite removed the chunks that held nothing but a style sheet.
      order: "post",
      handler(_, bundle) {
        const chunks = Object.values(bundle)
          .filter((file) => file.type === "chunk")
          .map((chunk) => ({
            file: chunk.fileName,
            styles: [...(chunk.viteMetadata?.importedCss ?? [])],
            imports: [...chunk.imports, ...chunk.dynamicImports],
            modules: chunk.moduleIds.map((id) => id.replace(/^.*\/web\//, "")),
            isEntry: chunk.isEntry,
            of: chunk.facadeModuleId?.replace(/^.*\/web\//, "") ?? null,
          }));
        this.emitFile({ type: "asset", fileName: ".chunks.json", source: JSON.stringify(chunks) });
      },
    },
  };
}
