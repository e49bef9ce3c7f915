import { defineConfig, type TestProjectInlineConfiguration } from "vitest/config";

const ALONE = "tests/browser/modes.test.ts";

/** Tests in a real browser, on a real server. */
function browser(name: string, own: TestProjectInlineConfiguration["test"]): TestProjectInlineConfiguration {
  return {
    test: {
      name,
      include: ["tests/browser/**/*.test.ts"],
      environment: "node",
      // Longer than anything takes: a machine that builds meanwhile is five times as slow.
      testTimeout: 180_000,
      hookTimeout: 90_000,
      // Vitest itself claims BASE_URL, so the tests get it under another name.
      env: { SPOTTER_URL: process.env.BASE_URL ?? "" },
      // A busy machine can starve a browser that draws WebGL in software; what fails twice is wrong.
      retry: 1,
      ...own,
    },
  };
}

export default defineConfig({
  test: {
    projects: [
      { test: { name: "unit", include: ["tests/unit/**/*.test.ts"], environment: "node" } },
      browser("browser", { exclude: [ALONE], maxWorkers: 2, sequence: { groupOrder: 1 } }),
      // It puts the whole server into another mode.
      browser("browser-alone", { include: [ALONE], fileParallelism: false, sequence: { groupOrder: 2 } }),
    ],
  },
});
