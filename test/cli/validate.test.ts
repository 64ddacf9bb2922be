import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { validate, type ValidateOptions } from "#cli/validate.ts";
import { packGreeter } from "../../examples/plugins/build.ts";

const EXAMPLE = join(import.meta.dirname, "../../examples/fleet-repo");
const folder = mkdtempSync(join(tmpdir(), "validate-"));
after(() => rmSync(folder, { recursive: true }));

async function run(dir: string, options: ValidateOptions = {}): Promise<{ readonly code: number; readonly text: string }> {
  let text = "";
  const code = await validate(dir, { write: (part) => (text += part) }, { cwd: dir, ...options });
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
    /^plugins\/greeter\.yaml:10:3 FLEET_FIELD_UNKNOWN unknown field machnies in spec\n {2}10 \| {3}machnies…\n {5}\| {3}\^{8}\n {2}fix: did you mean `machines`\?$/m,
  );
  assert.match(text, /: 1 error in 1 file\n$/);
});

test("what this version does not do is an error too", async () => {
  const { code, text } = await run(copyWith("gate", "plugins/greeter.yaml", "  machines:", "  run: { mode: gateway }\n  machines:"));
  assert.equal(code, 1);
  assert.match(text, /^plugins\/greeter\.yaml:10:10 NOT_YET run\.mode/m);
});

test("a value that lies where it must not is never shown", async () => {
  const secret = await run(copyWith("value", "secrets/team/greeting.yaml", "current: 1", "current: hunter2"));
  assert.match(secret.text, /^ {2}6 \| {3}current: …\n {4}\| {12}\^$/m);
  const field = await run(copyWith("field", "plugins/greeter.yaml", "  machines:", "  apiKey: hunter2\n  machines:"));
  assert.match(field.text, /^ {2}10 \| {3}apiKey…\n/m);
  assert.ok(!`${secret.text}${field.text}`.includes("hunter2"));
});

test("warnings are counted, fail only with --strict, and both places of a clash are named", async () => {
  const dir = copyWith("warn", "grants/greeter.yaml", "role: greeter", "role: greter");
  const { code, text } = await run(dir);
  assert.equal(code, 0);
  assert.match(text, /^grants\/greeter\.yaml:7:31 warning FLEET_UNUSED /);
  assert.match(text, /: valid: 3 machines, 1 plugin, 1 secret, 1 grant; 1 warning in 1 file\n$/);
  assert.equal((await run(dir, { strict: true })).code, 1);
  const both = copyWith(
    "both",
    "grants/greeter.yaml",
    "delivery: fd }",
    "delivery: fd }\n    - { ref: secret://team/greeting, delivery: fd }",
  );
  assert.match((await run(both)).text, /^grants\/greeter\.yaml:10:14 [^]*\n {2}see {2}grants\/greeter\.yaml:9:14\n {2}fix: /);
});

test("paths are shown from where the person stands; colour and JSON on demand", async () => {
  const dir = copyWith("look", "plugins/greeter.yaml", "version: 1.0.0", "version: 1.10");
  assert.match((await run(dir, { cwd: folder })).text, /^look\/plugins\/greeter\.yaml:6:12 FLEET_VALUE_UNQUOTED /);
  assert.match((await run(dir, { cwd: join(folder, "gate") })).text, new RegExp(`^${dir}/plugins/greeter\\.yaml:6:12 `));
  assert.match((await run(dir, { color: true })).text, /^\u001b\[1mplugins\/greeter\.yaml:6:12\u001b\[0m \u001b\[31mFLEET_VALUE_UNQUOTED/);
  const json = JSON.parse((await run(dir, { output: "json" })).text) as {
    valid: boolean;
    findings: readonly { code: string; subject: string }[];
  };
  assert.deepEqual([json.valid, json.findings[0]?.code, json.findings[0]?.subject], [false, "FLEET_VALUE_UNQUOTED", "Plugin/greeter"]);
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
