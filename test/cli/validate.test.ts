import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { validate } from "#cli/validate.ts";
import { packGreeter } from "../../examples/plugins/build.ts";

const EXAMPLE = join(import.meta.dirname, "../../examples/fleet-repo");
const folder = mkdtempSync(join(tmpdir(), "validate-"));
after(() => rmSync(folder, { recursive: true }));

async function run(dir: string): Promise<{ readonly code: number; readonly text: string }> {
  let text = "";
  const code = await validate(dir, { write: (part) => (text += part) });
  return { code, text };
}

/** A copy of the example with `from` replaced by `to` in one file. */
function copyWith(name: string, path: string, from: string, to: string): string {
  const dir = join(folder, name);
  cpSync(EXAMPLE, dir, { recursive: true });
  const text = readFileSync(join(dir, path), "utf8");
  assert.ok(text.includes(from));
  writeFileSync(join(dir, path), text.replace(from, to));
  return dir;
}

test("the example fleet is valid and this version does all of it", async () => {
  const { code, text } = await run(EXAMPLE);
  assert.deepEqual([code, text], [0, `${EXAMPLE}: valid: 3 machines, 1 plugin, 1 secret, 1 grant\n`]);
});

test("a misspelt field is an error at its line and column, with the right spelling", async () => {
  const { code, text } = await run(copyWith("typo", "plugins/greeter.yaml", "  machines:", "  machnies:"));
  assert.equal(code, 1);
  assert.match(
    text,
    /^plugins\/greeter\.yaml:10:3 FLEET_FIELD_UNKNOWN unknown field machnies in spec\n {2}fix: did you mean `machines`\?$/m,
  );
  assert.match(text, /: 2 errors\n$/);
});

test("what this version does not do is an error too", async () => {
  const { code, text } = await run(copyWith("gate", "plugins/greeter.yaml", "  machines:", "  run: { mode: gateway }\n  machines:"));
  assert.equal(code, 1);
  assert.match(text, /^plugins\/greeter\.yaml:10:10 NOT_YET run\.mode/m);
});

test("a folder that is none is a usage error", async () => {
  await assert.rejects(run(join(folder, "gone")), { code: "USAGE" });
});

test("the example's plugin is the one that examples/plugins packs (else: node scripts/pin-example.ts)", async () => {
  const packed = await packGreeter("1.0.0");
  const lock = JSON.parse(readFileSync(join(EXAMPLE, "plugins/greeter.lock.json"), "utf8")) as Record<string, unknown>;
  const { digest, tree, files } = packed;
  assert.deepEqual(
    { digest: lock["digest"], tree: lock["tree"], files: lock["files"], main: lock["main"] },
    { digest, tree, files, main: packed.manifest.main },
  );
});
