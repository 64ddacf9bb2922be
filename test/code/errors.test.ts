import assert from "node:assert/strict";
import { test } from "node:test";
import type { Command } from "commander";
import { CATALOG } from "#base/errors/index.ts";
import { programOf } from "#cli/commands/program.ts";
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

/** Commands in backquotes, each with its words. */
function commandsIn(text: string): readonly (readonly string[])[] {
  return [...text.matchAll(/`((?:mooring|openclaw-lobster) [^`]+)`/g)].map((match) => (match[1] ?? "").split(" "));
}

test("every command that a fix names exists, with the options it names", () => {
  const program = programOf("0", { code: 0 });
  const wrong = Object.entries(CATALOG).flatMap(([code, { fix }]) =>
    commandsIn(fix).flatMap((words) =>
      (words[0] === "mooring" ? isCommand(program, words.slice(1)) : isAgentCommand(words[1])) ? [] : [`${code}: ${words.join(" ")}`],
    ),
  );
  assert.deepEqual(wrong, []);
});

function isCommand(program: Command, words: readonly string[]): boolean {
  let command = program;
  let at = 0;
  for (let next: Command | undefined; (next = command.commands.find((item) => item.name() === words[at])) !== undefined; at++)
    command = next;
  const isLeaf = at > 0 && command.commands.length === 0;
  const options = words.slice(at).filter((word) => word.startsWith("--"));
  const isHelp = words.every((word) => ["--help", "--version"].includes(word));
  return isHelp || (isLeaf && options.every((option) => command.options.some(({ long }) => long === option)));
}

function isAgentCommand(word: string | undefined): boolean {
  return ["init", "serve", "stdio", "run", "status", "verify", "--help"].includes(word ?? "");
}
