import assert from "node:assert/strict";
import { test } from "node:test";
import { explain } from "#cli/explain/index.ts";
import { painter } from "#cli/report/paint.ts";
import { fieldsOf } from "#schemas/fleet/fields.ts";
import { type Kind, KINDS } from "#schemas/fleet/index.ts";

function told(path?: string, recursive = false, width = 100): string {
  let text = "";
  assert.equal(explain({ path, recursive, width, paint: painter(false) }, { write: (part) => (text += part) }), 0);
  return text;
}

test("a field is shown with type, default, values, what is not built and the fields below it", () => {
  assert.equal(
    told("plugin.spec.run.mode"),
    "plugin.spec.run.mode  <word>\n  `lobster`: its own process; `gateway`: inside OpenClaw.\n\n  default  lobster\n  one of   lobster, gateway\n  NOT_YET  `gateway`\n",
  );
  assert.match(
    told("plugin.spec.rollout"),
    /^plugin\.spec\.rollout {2}<map>\n[^]*Fields\n {2}canary {2}<whole number> default 1\n {6}Machines that go first\.\n/,
  );
  assert.match(told("plugin.spec.rollout.soak"), /duration: a number and s, m, h or d/);
});

test("without a path all kinds are listed", () => {
  assert.equal(told().match(/^[a-z]/gm)?.length, 8);
});

test("kinds are found in any case, plural or with dashes, and spec and list indices may be left out", () => {
  const one = told("secret-grant.spec.secrets.ref");
  for (const path of ["SecretGrant.spec.secrets.ref", "secretgrants.secrets.ref", "grant.secrets[0].ref", "Secret-Grant.secrets[].ref"])
    assert.equal(told(path), one);
  assert.match(told("secret.spec.versions.3.file"), /^secret\.spec\.versions\.\*\.file /);
  assert.match(told("policies"), /^Policy\n/);
});

test("what there is not is refused with what was meant", () => {
  const cases: readonly (readonly [path: string, fix: RegExp])[] = [
    ["plugn", /`plugin`/],
    ["plugin.rolout", /`rollout`/],
    ["plugin.spec.rollout.soakk", /`soak`/],
    ["plugin.spec.version.major", /has no fields of its own/],
    ["plugin.spec.__proto__", /write one of/],
    ["constructor", /write one of/],
  ];
  for (const [path, fix] of cases)
    assert.throws(
      () => told(path),
      (err: Error & { code: string; fix: string }) => err.code === "USAGE" && fix.test(err.fix),
    );
});

test("every field of every kind can be explained, in the width there is", () => {
  for (const kind of Object.keys(KINDS) as Kind[]) {
    for (const { name } of fieldsOf(kind)) assert.ok(told(`${kind}.${name}`).length > 0);
    for (const line of told(kind, true, 60).split("\n"))
      assert.ok(line.length <= 60 || /^ *\S+ {2}</.test(line) || !line.trim().includes(" "), line);
  }
});
