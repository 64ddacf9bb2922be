import assert from "node:assert/strict";
import { test } from "node:test";
import { CATALOG } from "#base/errors/index.ts";
import { errorsPage, storedErrorsPage } from "../../scripts/errors.ts";
import { productFiles, repoFiles, textOf } from "./files.ts";

const codes = Object.keys(CATALOG);

function without(paths: readonly string[]): readonly string[] {
  const text = paths.map((path) => textOf(path)).join("\n");
  return codes.filter((code) => !new RegExp(`\\b${code}\\b`).test(text));
}

test("docs/errors.md is what the catalogue gives (else: npm run errors)", () => {
  assert.equal(storedErrorsPage(), errorsPage());
});

test("every error code is thrown somewhere in the product", () => {
  assert.deepEqual(without(productFiles().filter((path) => !path.startsWith("base/errors/catalog/"))), []);
});

test("every error code is asserted by a test", () => {
  assert.deepEqual(without(repoFiles().filter((path) => /\.test\.ts$|^test\/.*contract\.ts$/.test(path))), []);
});

test("no code stands in two parts of the catalogue", () => {
  const parts = repoFiles().filter((path) => /^base\/errors\/catalog\/(?!index|entry)[a-z]+\.ts$/.test(path));
  const all = parts.flatMap((path) => [...textOf(path).matchAll(/^ {2}([A-Z][A-Z0-9_]+): \{/gm)].map((match) => match[1] ?? ""));
  assert.equal(all.length, codes.length);
  assert.equal(new Set(all).size, all.length);
});
