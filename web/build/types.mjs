/**
 * Writes src/shared/openapi.ts, the types of the HTTP API, from the OpenAPI document that the server's tests keep
 * true. With `--check` it writes nothing and fails when the file is stale.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { compile } from "json-schema-to-typescript";

const DOCUMENT = new URL("../../tests/api/openapi.json", import.meta.url);
const TYPES = new URL("../src/shared/openapi.ts", import.meta.url);

const { components } = JSON.parse(readFileSync(DOCUMENT, "utf8"));
const schema = JSON.parse(JSON.stringify(components.schemas).replaceAll("#/components/schemas/", "#/$defs/"));
const types = await compile({ $id: "Api", type: "object", additionalProperties: false, $defs: schema }, "Api", {
  unreachableDefinitions: true,
  additionalProperties: false,
  bannerComment: "/** Made by `npm run types` from the OpenAPI document; do not edit. */",
  style: { printWidth: 120 },
});
const text = types
  .replaceAll(/( \*\n)? \* This interface was referenced by .*\n \* via the .*\n/g, "")
  .replaceAll("/**\n */\n", "")
  .replace("export interface Api {}\n", "");

if (!process.argv.includes("--check")) {
  writeFileSync(TYPES, text);
} else if (readFileSync(TYPES, "utf8") !== text) {
  console.error("src/shared/openapi.ts is stale: run `npm run types`.");
  process.exit(1);
}
