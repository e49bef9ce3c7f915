import { defineConfig } from "vite";
import { inlineBoot } from "./build/inline-boot.ts";
import { localPages } from "./build/local-pages.ts";
import { precompress } from "./build/precompress.ts";

const backend = process.env.SPOTTER_URL ?? "http://127.0.0.1:8080";

export default defineConfig({
  plugins: [inlineBoot(), localPages(), precompress()],
  server: {
    host: "127.0.0.1",
    proxy: { "/v1": backend, "/openapi.json": backend, "/docs": backend },
  },
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // MapLibre alone is larger than the default threshold; build/budget.mjs is the real limit.
    chunkSizeWarningLimit: 1200,
    rolldownOptions: {
      input: ["index.html", "volunteer.html", "organise.html"],
      output: {
        codeSplitting: { groups: [{ name: "maplibre", test: /node_modules\/maplibre-gl/ }] },
      },
    },
  },
});
