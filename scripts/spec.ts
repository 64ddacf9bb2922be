/** Writes the generated part of each page of docs/spec from schemas/fleet; a test fails when they differ. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { specParts, withPart } from "#schemas/fleet/spec-page.ts";

for (const [name, part] of specParts()) {
  const file = join(import.meta.dirname, "../docs/spec", name);
  const next = withPart(readFileSync(file, "utf8"), part);
  if (next === null) throw new Error(`${file} has no markers`);
  writeFileSync(file, next);
}
