import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { productFiles, repoFiles, ROOT, textOf } from "./files.ts";

const texts = repoFiles().filter((path) => !path.startsWith("test/vectors/") && path !== "package-lock.json");

// Each pattern has a letter in brackets, so that this file does not find itself.
const MACHINE = /\/(?:home|Users)\/[a-z]|\/wor[k]\/|\.(?:npmj[s]|nodesourc[e]|yarnpk[g])\.(?:org|com)|deb\.debia[n]\.org/;
const LATER = /\b(?:TOD[O]|FIXM[E]|XX[X]|HAC[K])\b/;
const KEY = /-----BEGIN [A-Z ]*PRIVAT[E] KEY-----$|AGE-SECRET-KE[Y]-1[0-9A-Z]{20}/;
const SWITCHED_OFF = /\b(?:test|it|describe)\.(?:only|todo|skip)\(|@ts-(?:ignor[e]|nochec[k])|biome-ignor[e]/;

/** Files longer than 300 lines, each of which should be split when it is touched next. */
const LONG: readonly string[] = [];

function finds(paths: readonly string[], pattern: RegExp): readonly string[] {
  return paths.flatMap((path) =>
    textOf(path)
      .split("\n")
      .flatMap((line, at) => (pattern.test(line) ? [`${path}:${at + 1}`] : [])),
  );
}

test("no file holds what only one machine knows: paths of a person, addresses of a package registry", () => {
  assert.deepEqual(finds(texts, MACHINE), []);
  assert.deepEqual(finds(["package-lock.json"], /"resolved": "http/), []);
});

test("nothing is left to be done later in a comment", () => {
  assert.deepEqual(finds(texts, LATER), []);
});

test("no private key and no binary is kept", () => {
  assert.deepEqual(finds(texts, KEY), []);
  assert.deepEqual(
    texts.filter((path) => readFileSync(join(ROOT, path)).includes(0)),
    [],
  );
});

test("tests are not switched off, and no checker is told to look away", () => {
  const code = texts.filter((path) => path.endsWith(".ts"));
  assert.deepEqual(finds(code, SWITCHED_OFF), []);
});

test("product code writes to a stream it was given or to its log, never to the console", () => {
  assert.deepEqual(finds(productFiles(), /\bconsole\./), []);
});

test("a file has one thing to say: none of the product is longer than 300 lines without being named here", () => {
  assert.deepEqual(
    productFiles().filter((path) => textOf(path).split("\n").length > 301),
    LONG,
  );
});
