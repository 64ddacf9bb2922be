/** Writes schemas/json from schemas/fleet; a test fails when they differ. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { jsonSchemas } from "#schemas/fleet/json-schema.ts";

const folder = join(import.meta.dirname, "../schemas/json");
mkdirSync(folder, { recursive: true });
for (const [name, text] of jsonSchemas()) writeFileSync(join(folder, name), text);
