import assert from "node:assert/strict";
import { test } from "node:test";
import { CATALOG } from "#base/errors/index.ts";
import { errorsPage, storedErrorsPage } from "../../scripts/errors.ts";
import { productFiles, repoFiles, textOf } from "./files.ts";

const codes = Object.keys(CATALOG);

function codesIn(paths: readonly string[]): ReadonlySet<string> {
  return new Set(paths.flatMap((path) => textOf(path).match(/\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b/g) ?? []));
}

test("docs/errors.md is what the catalogue gives (else: npm run errors)", () => {
  assert.equal(storedErrorsPage(), errorsPage());
});

test("every error code is thrown somewhere in the product", () => {
  const used = codesIn(productFiles().filter((path) => !path.startsWith("base/errors/catalog/")));
  assert.deepEqual(
    codes.filter((code) => !used.has(code)),
    [],
  );
});

test("every error code is asserted by a test", () => {
  const tested = codesIn(repoFiles().filter((path) => path.endsWith(".test.ts")));
  assert.deepEqual(
    codes.filter((code) => !tested.has(code)),
    [],
  );
});

test("no code stands in two parts of the catalogue", () => {
  const parts = repoFiles().filter((path) => /^base\/errors\/catalog\/(?!index|entry)[a-z]+\.ts$/.test(path));
  const all = parts.flatMap((path) => [...textOf(path).matchAll(/^ {2}([A-Z][A-Z0-9_]+): \{/gm)].map((match) => match[1] ?? ""));
  assert.equal(all.length, codes.length);
  assert.equal(new Set(all).size, all.length);
});
