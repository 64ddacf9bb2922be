import { statSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { asDigest, type Digest, isDigest } from "#base/canonical/index.ts";
import { MooringError } from "#base/errors/index.ts";
import type { Deps, SourceOptions } from "../fleet/open.ts";
import { accessOf, type AccessFlags, addAccess } from "./access.ts";

/** Options as commander gives them for a command on a fleet repo. */
export type SourceFlags = AccessFlags & { readonly source: string; readonly cache?: string; readonly trustRoot?: Digest };

export const DEPS: Deps = { clock: Date.now, random: Math.random };

export function addSource(command: Command): Command {
  command
    .addOption(
      new Option("--source <url|path>", "the fleet repo: http(s)://, ssh://, user@host:path, file:// or a path")
        .env("MOORING_SOURCE")
        .makeOptionMandatory(),
    )
    .option("--trust-root <leaf>", "whom to believe: leaf of a trust section, past or present; remembered", digestOf)
    .option("--cache <dir>", "folder for copies of fleet repos (default: mooring in your cache folder)");
  return addAccess(command);
}

export function sourceOf({ source, cache, trustRoot, ...flags }: SourceFlags): SourceOptions {
  return { source: placeOf(source), cache: cache === undefined ? cacheFolder() : resolve(cache), trustRoot, access: accessOf(flags) };
}

/** A path from where the person stands; a checkout stands for its .git. */
export function placeOf(source: string): string {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(source) || /^[^@/]+@[^@/]+:/.test(source)) return source;
  const path = resolve(source);
  const inside = join(path, ".git");
  return statSync(inside, { throwIfNoEntry: false })?.isDirectory() === true ? inside : path;
}

export function digestOf(text: string): Digest {
  if (!isDigest(text)) throw new InvalidArgumentError("it is sha256: and 64 lower-case hex digits");
  return asDigest(text, "option");
}

export function listOf(text: string): readonly string[] {
  return text.split(",").filter((item) => item !== "");
}

/** Looked up only when it is needed: a service may run without a home. */
function cacheFolder(): string {
  const base = process.env["XDG_CACHE_HOME"];
  return join(base === undefined || base === "" ? join(homeFolder(), ".cache") : base, "mooring");
}

function homeFolder(): string {
  const unnamed = (cause?: unknown): MooringError =>
    new MooringError("CACHE_UNNAMED", "no folder for copies of fleet repos", { why: "HOME is not set, and this user has no home", cause });
  let home: string;
  try {
    home = homedir();
  } catch (cause) {
    throw unnamed(cause);
  }
  if (home === "") throw unnamed();
  return home;
}

export function hubOption(): Option {
  return new Option("--hub <socket>", "the hub's local socket: hub.sock in its folder").env("MOORING_HUB");
}
