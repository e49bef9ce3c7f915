/** Serves the pages of `npm run dev` under the addresses which the real server gives them. */
import type { Plugin } from "vite";

const PAGES: [RegExp, string][] = [
  [/^\/s\/[^/]+\/?(\?.*)?$/, "/volunteer.html"],
  [/^\/organise(\/[^/]+){0,2}\/?(\?.*)?$/, "/organise.html"],
];

/** Vite plugin: see the module comment. */
export function localPages(): Plugin {
  return {
    name: "spotter-local-pages",
    configureServer(server) {
      server.middlewares.use((request, _response, next) => {
        const page = PAGES.find(([pattern]) => pattern.test(request.url ?? ""));
        if (page) request.url = page[1];
        next();
      });
    },
  };
}
