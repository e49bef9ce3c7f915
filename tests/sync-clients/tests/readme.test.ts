/** README shows apps what is tested here. */

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

test.for(["rxdb16", "rxdb17", "watermelon"])("README shows the sample %s", (name) => {
  const [readme, sample] = ["../../../README.md", `../harness/samples/${name}.ts`].map((path) =>
    readFileSync(new URL(path, import.meta.url), "utf8"),
  ) as [string, string];
  expect(readme).toContain(sample.slice(sample.indexOf("\n/**")));
});
