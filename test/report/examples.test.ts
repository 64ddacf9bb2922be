/** Changes worth reviewing, as every output shows them; reviewed like code. UPDATE_GOLDEN=1 writes them anew. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { render, type ReportFormat } from "#cli/report/index.ts";
import { EXAMPLES, exampleNames, exampleReview } from "./examples.ts";

const FILES: Readonly<Record<ReportFormat, string>> = {
  table: "expected.txt",
  markdown: "expected.md",
  github: "expected.github",
  sarif: "expected.sarif.json",
  json: "expected.json",
  rdjson: "expected.rdjson",
  gitlab: "expected.gitlab.json",
};

for (const name of exampleNames()) {
  test(`pull request: ${name}`, async () => {
    const { review, form } = await exampleReview(name);
    for (const [format, file] of Object.entries(FILES)) {
      const options = format === "table" ? { ...form, width: 100 } : form;
      check(join(EXAMPLES, name, file), render(review, format as ReportFormat, options));
    }
  });
}

test("there are enough of them, and the page says of each what a reviewer should see", () => {
  const page = readFileSync(join(EXAMPLES, "README.md"), "utf8");
  assert.ok(exampleNames().length >= 8);
  for (const name of exampleNames()) assert.match(page, new RegExp(`^\\| \\[${name}\\]\\(${name}/\\) \\| .{20,} \\|$`, "m"));
});

function check(file: string, text: string): void {
  if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(file, text);
  assert.equal(text, readFileSync(file, "utf8"), `${file} (UPDATE_GOLDEN=1 writes it anew)`);
}
