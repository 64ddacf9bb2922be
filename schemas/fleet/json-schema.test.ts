import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { jsonSchemas } from "./json-schema.ts";

const FOLDER = join(import.meta.dirname, "../json");

test("schemas/json is what the zod schemas give (else: node scripts/schemas.ts)", () => {
  const made = jsonSchemas();
  assert.deepEqual(readdirSync(FOLDER).sort(), [...made.keys()].sort());
  for (const [name, text] of made) assert.ok(readFileSync(join(FOLDER, name), "utf8") === text, `schemas/json/${name} is not current`);
});

test("editors get draft-07, refusing unknown fields, and no default makes a field required", () => {
  const plugin = JSON.parse(jsonSchemas().get("plugin.json")!);
  assert.equal(plugin.$schema, "http://json-schema.org/draft-07/schema#");
  const { properties, additionalProperties } = plugin.definitions?.Plugin ?? plugin;
  assert.equal(additionalProperties, false);
  assert.deepEqual(properties.spec.required, ["version", "source", "digest", "verify", "machines"]);
});
