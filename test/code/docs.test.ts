import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { markdown, repoFiles, ROOT, textOf } from "./files.ts";

const pages = repoFiles().filter((path) => path.endsWith(".md") && !/^test\/(vectors|golden)\//.test(path));
const known = repoFiles();

/** Paths that are made, not kept: build outputs, what programs write at run time, and the forms of a fleet repo or a machine's root. */
const MADE = /^(?:dist|sdk\/dist|node_modules)(?:\/|$)|^bin\/openclaw-lobster-stdio$/;

/** Pages about another tree than this one, with the folder their paths start from. */
const OTHER_TREES: Readonly<Record<string, string>> = { "examples/fleet-repo/README.md": "examples/fleet-repo" };

test("every path that a page names exists", () => {
  const wrong: string[] = [];
  for (const page of pages) {
    for (const name of pathsIn(textOf(page))) if (!stands(page, name)) wrong.push(`${page}: ${name}`);
  }
  assert.deepEqual(wrong, []);
});

test("every link between pages leads somewhere", () => {
  const wrong: string[] = [];
  for (const page of pages) {
    for (const [, target = ""] of markdown(textOf(page)).prose.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)) {
      if (!/^https?:/.test(target) && !existsSync(join(ROOT, dirname(page), target))) wrong.push(`${page}: ${target}`);
    }
  }
  assert.deepEqual(wrong, []);
});

test("every room has a page, and ARCHITECTURE.md names every room", () => {
  const rooms = ["base", "schemas", "proof", "seal", "bundle", "plan", "reconciler", "lobster", "enclave-bridge", "egress", "cli", "sdk"];
  const architecture = textOf("ARCHITECTURE.md");
  for (const room of rooms) {
    assert.ok(known.includes(`${room}/README.md`), `${room}/README.md`);
    assert.ok(architecture.includes(`\`${room}/`), `ARCHITECTURE.md does not name ${room}/`);
  }
  for (const folder of new Set(known.flatMap((path) => /^(reconciler|lobster)\/[^/]+\//.exec(path)?.[0] ?? [])))
    assert.ok(
      architecture.includes(folder) || textOf(`${folder.split("/")[0]}/README.md`).includes(`\`${folder.split("/")[1]}/`),
      `no page names ${folder}`,
    );
});

/** What stands in backquotes in prose and looks like a path of this repository: it has a slash or an ending of ours, and no placeholder. */
function pathsIn(text: string): readonly string[] {
  const spans = [...markdown(text).prose.matchAll(/`([^`\n]+)`/g)].map((match) => match[1] ?? "");
  return spans.filter(
    (span) =>
      /^\.?[A-Za-z0-9_@.{},*/-]+$/.test(span) && (/^[a-z.-]+\/[^<>]*/.test(span) || /^[\w.-]+\.(ts|md|sh|yaml|json|txt)$/.test(span)),
  );
}

/** Whether a name is a path from the root, from the page's folder, or the end of one path below the page's folder. Braces name several, a star any. */
function stands(page: string, name: string): boolean {
  const here = dirname(page);
  const base = OTHER_TREES[page] ?? here;
  return braces(name).every((one) => {
    const path = one.replace(/\/$/, "");
    if (MADE.test(path)) return true;
    const first = path.split("/")[0] ?? "";
    const isOurs = existsSync(join(ROOT, first)) || existsSync(join(ROOT, base, first)) || /^[\w.-]+\.(ts|md|sh)$/.test(path);
    if (!isOurs) return true; // a package, a media type, a path of another machine
    if (path.includes("*")) return true;
    const from = !path.includes("/") || here === "." ? "" : `${here}/`; // a bare file name may stand anywhere
    const isPart = known.some((file) => file.startsWith(from) && file.endsWith(`/${path}`));
    return isPart || existsSync(join(ROOT, path)) || existsSync(join(ROOT, base, path));
  });
}

function braces(name: string): readonly string[] {
  const match = /^(.*)\{([^}]*)\}(.*)$/.exec(name);
  return match === null ? [name] : (match[2] ?? "").split(",").flatMap((part) => braces(`${match[1]}${part}${match[3]}`));
}
