import assert from "node:assert/strict";
import { test } from "node:test";
import { packFiles } from "#bundle/pack/index.ts";
import { statementFor } from "#bundle/statement/index.ts";
import { lockOf, lockText } from "#cli/plugin/lock.ts";
import { pluginLock } from "#schemas/fleet/index.ts";

const file = (path: string, text: string) => ({ path, mode: 0o644, bytes: new TextEncoder().encode(text) });

function pack(mooring?: unknown) {
  const pkg = { name: "a", version: "1.0.0", main: "main.js", ...(mooring === undefined ? {} : { mooring }) };
  return packFiles([
    file("main.js", "1;\n"),
    file("openclaw.plugin.json", '{"id":"a","configSchema":{}}'),
    file("package.json", JSON.stringify(pkg)),
  ]);
}

test("what a plugin wants goes from its package.json into the lock, sorted; a plugin that does not say has no wants", () => {
  const packed = pack({ wants: ["secret://team/b", "secret://team/a"] });
  const text = lockText(lockOf(statementFor(packed, 1), packed.manifest.wants));
  assert.deepEqual(pluginLock.parse(JSON.parse(text)).wants, ["secret://team/a", "secret://team/b"]);
  const silent = pack();
  assert.ok(!lockText(lockOf(statementFor(silent, 1), silent.manifest.wants)).includes("wants"));
});

test("wants of another form are refused", () => {
  for (const wants of ["secret://team/a", ["team/a"], [1], ["secret://team/a", "secret://team/a"], { a: 1 }])
    assert.throws(() => pack({ wants }), { code: "PLUGIN_MANIFEST_INVALID" });
});
