import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { build } from "esbuild";
import fc from "fast-check";
import { canonBytes } from "#base/canonical/index.ts";
import type * as Roots from "#proof/root/index.ts";
import { machineRoot } from "#proof/root/index.ts";
import { demandFleet, desiredOf, filesOf, loadFleet, resolve } from "#reconciler/desired/index.ts";
import { BUNDLING } from "../../scripts/build.ts";
import { goldenTree } from "#test/support/fleet-tree.ts";
import { fullTree } from "#test/support/full-tree.ts";

// What a machine computes comes from the bundled agent; what people sign from the hub's sources. Both have to be one function.
let folder: string;
let built: typeof Roots;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "roots-"));
  const outfile = join(folder, "roots.mjs");
  await build({ ...BUNDLING, entryPoints: ["proof/root/index.ts"], outfile });
  built = (await import(outfile)) as typeof Roots;
});
after(() => rmSync(folder, { recursive: true, force: true }));

test("hub and built agent give every machine of a fleet the same root", async () => {
  for (const tree of [goldenTree(), fullTree()]) {
    const resolved = resolve(demandFleet(await loadFleet(filesOf(tree))));
    for (const [machine, { index }] of resolved.machines) {
      const sections = (JSON.parse(new TextDecoder().decode(desiredOf(resolved, machine).bytes)) as { sections: never[] }).sections;
      assert.equal(built.machineRoot(resolved.fleet, machine, built.indexOf(sections)), machineRoot(resolved.fleet, machine, index));
    }
  }
});

test("hub and built agent give any section the same leaf", async () => {
  const { leafOf } = await import("#proof/root/index.ts");
  const config = fc.dictionary(
    fc.string({ minLength: 1 }).filter((name) => name !== "__proto__"),
    fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null)),
  );
  fc.assert(
    fc.property(config, fc.nat(), (settings, serial) => {
      const section = { kind: "plugin", name: "mail", serial, config: settings } as never;
      fc.pre(isCanonical(section));
      assert.equal(built.leafOf(section), leafOf(section));
    }),
  );
});

function isCanonical(value: unknown): boolean {
  try {
    canonBytes(value);
    return true;
  } catch {
    return false;
  }
}
