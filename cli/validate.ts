import { readdir, readFile, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { digestOf } from "#base/canonical/index.ts";
import { MooringError } from "#base/errors/index.ts";
import {
  type FleetFile,
  type FleetFiles,
  type Finding,
  type FleetRepo,
  gate,
  hasErrors,
  loadFleet,
  sortFindings,
} from "#reconciler/desired/index.ts";

import { countText, findingBlock, type Look } from "./findings/index.ts";
import { type Paint, painter } from "./report/paint.ts";
import { VERSION } from "./version.ts";

export type Out = { write(text: string): unknown };

export type ValidateOptions = {
  readonly output?: "text" | "json";
  /** Warnings fail, too. */
  readonly strict?: boolean;
  readonly color?: boolean;
  /** Where the person stands: paths are shown from there. */
  readonly cwd?: string;
};

/** Checks the fleet repo in folder `dir` as the hub would and prints what it finds: `file:line:col code message`, the line with a caret, the fix.
 *  Exit code 0 when this hub could run it (and with `strict` nothing is to be said of it), else 1. No network, no git: what lies in the folder is what
 *  is checked. */
export async function validate(dir: string, out: Out, options: ValidateOptions = {}): Promise<number> {
  const files = await readFolder(dir);
  const loaded = await loadFleet(files, { version: VERSION });
  const more = loaded.fleet === undefined ? [] : [...gate(loaded.fleet), ...(await policyMistakes(loaded.fleet))];
  const findings = sortFindings([...loaded.findings, ...more]);
  const isValid = !hasErrors(findings) && loaded.fleet !== undefined && !(options.strict === true && findings.length > 0);
  if (options.output === "json") out.write(`${JSON.stringify({ v: 1, valid: isValid, findings })}\n`);
  else {
    const look = await lookOf(dir, files, findings, options);
    for (const item of findings) out.write(findingBlock(item, look));
    out.write(summaryOf(dir, findings, isValid ? (loaded.fleet ?? null) : null, look.paint));
  }
  return isValid ? 0 : 1;
}

async function lookOf(dir: string, files: FleetFiles, findings: readonly Finding[], options: ValidateOptions): Promise<Look> {
  const texts = new Map<string, string>();
  for (const path of new Set(findings.map(({ file }) => file))) {
    const file = files.get(path);
    if (file !== undefined) texts.set(path, new TextDecoder().decode(await file.read()));
  }
  const folder = relative(options.cwd ?? process.cwd(), dir);
  const near = folder === "" ? "" : folder.startsWith("..") ? dir : folder;
  return { paint: painter(options.color === true), folder: near, textOf: (file) => texts.get(file) ?? null };
}

function summaryOf(dir: string, findings: readonly Finding[], fleet: FleetRepo | null, paint: Paint): string {
  const count = countText(findings);
  if (fleet === null) return `${dir}: ${paint("red", count)}\n`;
  return `${dir}: ${paint("green", "valid")}: ${countsOf(fleet)}${count === "" ? "" : `; ${paint("yellow", count)}`}\n`;
}

/** What is wrong with the policies themselves; what they say is for `mooring plan`, which knows what changes. */
async function policyMistakes(fleet: FleetRepo): Promise<readonly Finding[]> {
  if (fleet.policies.length === 0) return [];
  const { checkPolicies, openEngine } = await import("#reconciler/policy/index.ts");
  const engine = openEngine();
  try {
    return await checkPolicies(fleet, engine);
  } finally {
    await engine.close();
  }
}

/** One finding for people. */
export function findingText({ file, line, col, code, level, message, fix, excerpt }: Finding): string {
  const shown = excerpt === undefined ? "" : `${excerpt.replaceAll(/^/gm, "  | ")}\n`;
  return `${file}:${line}:${col} ${level === "warning" ? "warning " : ""}${code} ${message}\n${shown}  fix: ${fix}\n`;
}

/** Every plain file under `dir` but .git and node_modules; links are left out, as git's own tree would refuse them. Throws USAGE when `dir` is no folder. */
export async function readFolder(dir: string): Promise<FleetFiles> {
  const files = new Map<string, FleetFile>();
  const found = await stat(dir).catch(() => null); // whatever keeps it from being read, it is not a folder we can check
  if (found?.isDirectory() !== true) throw new MooringError("USAGE", `${dir}: not a folder that can be read`);
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const name = relative(dir, path).split(sep).join("/");
    if (!entry.isFile() || /(^|\/)(\.git|node_modules)\//.test(name)) continue;
    const bytes = await readFile(path);
    files.set(name, { oid: digestOf(bytes), read: () => bytes });
  }
  return files;
}

function countsOf(fleet: FleetRepo): string {
  const { machines, baselines, plugins, secrets, grants, policies } = fleet;
  const counts = { machine: machines, baseline: baselines, plugin: plugins, secret: secrets, grant: grants, policy: policies };
  return Object.entries(counts)
    .filter(([, list]) => list.length > 0)
    .map(([noun, list]) => `${list.length} ${list.length === 1 ? noun : `${noun}s`.replace("ys", "ies")}`)
    .join(", ");
}
