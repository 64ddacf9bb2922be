import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

type Locked = {
  readonly version: string;
  readonly license?: string;
  readonly hasInstallScript?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
};
const ROOT = join(import.meta.dirname, "../..");
const json = (file: string): unknown => JSON.parse(readFileSync(join(ROOT, file), "utf8"));
const { dependencies } = json("package.json") as { readonly dependencies: Readonly<Record<string, string>> };
const { packages } = json("package-lock.json") as { readonly packages: Readonly<Record<string, Locked>> };
const MODULES = "node_modules/";

/** Where Node would find `name` from the package at `from`. */
function found(from: string, name: string): string | null {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf(`/${MODULES}`)))) {
    const path = `${folder === "" ? "" : `${folder}/`}${MODULES}${name}`;
    if (path in packages) return path;
    if (folder === "") return null;
  }
}

function brings(path: string): ReadonlySet<string> {
  const seen = new Set<string>();
  const queue = [path];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    const { dependencies: needs = {}, optionalDependencies: mayUse = {} } = packages[next] ?? { version: "" };
    for (const name of Object.keys({ ...needs, ...mayUse })) {
      const inner = found(next, name);
      if (inner === null || seen.has(inner)) continue;
      seen.add(inner);
      queue.push(inner);
    }
  }
  return seen;
}

test("docs/dependencies.md names each production package with its version, licence, weight and install scripts, and a reason", () => {
  const rows = [...readFileSync(join(ROOT, "docs/dependencies.md"), "utf8").matchAll(/^\| `(\S+)` \| (.+) \|$/gm)];
  assert.deepEqual(
    rows.map(([, name]) => name),
    Object.keys(dependencies),
  );
  for (const [, name = "", cells = ""] of rows) {
    const path = `${MODULES}${name}`;
    const locked = packages[path];
    const own = json(`${path}/package.json`) as { readonly license?: string; readonly licenses?: readonly { readonly type: string }[] };
    const scripts = [path, ...brings(path)].filter((each) => packages[each]?.hasInstallScript === true);
    const named = scripts.map((each) => `\`${each.slice(each.lastIndexOf(MODULES) + MODULES.length)}\``).join(", ");
    const [version, licence, weight, installs, why = ""] = cells.split(" | ");
    assert.deepEqual(
      [version, licence, weight, installs],
      [locked?.version, own.license ?? own.licenses?.[0]?.type, String(brings(path).size), named === "" ? "none" : named],
      name,
    );
    assert.equal(version, dependencies[name], `${name} is pinned`);
    assert.ok(why.length > 10, name);
  }
});
