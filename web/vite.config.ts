import { defineConfig } from "vite";
import { chunkList } from "./build/chunk-list.ts";
import { inlineBoot } from "./build/inline-boot.ts";
import { localPages } from "./build/local-pages.ts";
import { offlineWorker } from "./build/offline-worker.ts";
import { precompress } from "./build/precompress.ts";

const backend = process.env.SPOTTER_URL ?? "http://127.0.0.1:8080";

export default defineConfig({
  plugins: [inlineBoot(), localPages(), chunkList(), offlineWorker(), precompress()],
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
      input: ["index.html", "volunteer.html", "organise.html", "busy.html"],
      output: {
        codeSplitting: {
          groups: [
            { name: "maplibre", priority: 3, test: /node_modules\/maplibre-gl/ },
            // One file for what all pages use: on a phone each request of the first seconds costs.
            { name: "shared", priority: 2, test: /node_modules\/@?preact|\/src\/shared\/(?!map)[\w-]+\.tsx?$/ },
            // The entry needs it before the app.
            { name: "language", priority: 2, test: /\/src\/volunteer\/language\.ts$/ },
            // And one for the app, though what is loaded later uses parts of it.
            {
              name: "app",
              priority: 1,
              test: /\/src\/(volunteer\/(?!pack\/|boot|entry)|sync\/|offline\/names)/,
            },
          ],
        },
      },
    },
  },
});
