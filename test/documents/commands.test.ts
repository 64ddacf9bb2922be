import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { newPerson } from "../support/fleet-fixture.ts";

const folder = mkdtempSync(join(tmpdir(), "docs-"));
after(() => rmSync(folder, { recursive: true }));
const MAIN = join(import.meta.dirname, "../../cli/main.ts");

function mooring(...args: readonly string[]): { readonly code: number | null; readonly out: string; readonly err: string } {
  const ran = spawnSync(process.execPath, [MAIN, ...args], { encoding: "utf8", cwd: folder, input: "" });
  return { code: ran.status, out: ran.stdout, err: ran.stderr };
}

test("init, validate and explain from the command line, where there is no terminal", () => {
  const { keyFile } = newPerson(folder, "a@acme.dev");
  const told = ["--name", "acme", "--as", "a@acme.dev", "--key", keyFile];
  const refused = mooring("init", "fleet", ...told);
  assert.deepEqual([refused.code, refused.out], [1, ""]);
  assert.match(refused.err, /^CONFIRMATION_NEEDED: [^]*--paper/);
  const made = mooring("init", "fleet", "--yes", ...told, "--paper", "paper.txt");
  assert.equal(made.code, 0, made.err);
  assert.match(made.out, /Trust root {2}sha256:[0-9a-f]{64}\n/);
  assert.match(mooring("init", "fleet", "--yes", ...told, "--paper", "other.txt").err, /^INIT_FOLDER_TAKEN: /);
  assert.deepEqual(mooring("validate", "fleet"), { code: 0, out: "fleet: valid: 2 policies\n", err: "" });
  assert.deepEqual(mooring("validate", "--strict", "--output", "json", "fleet"), {
    code: 0,
    out: '{"v":1,"valid":true,"findings":[]}\n',
    err: "",
  });
  assert.match(mooring("explain", "plugin.rollout.soak").out, /^plugin\.spec\.rollout\.soak {2}<duration>\n/);
  const wrong = mooring("explain", "plugin.rolout");
  assert.equal(wrong.code, 1);
  assert.match(wrong.err, /did you mean `rollout`\?/);
});
