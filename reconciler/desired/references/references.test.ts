import assert from "node:assert/strict";
import { test } from "node:test";
import { edited, goldenTree, type Tree } from "#test/support/fleet-tree.ts";
import { filesOf, type Finding, loadFleet } from "../index.ts";

const TREE = goldenTree();
const PLUGIN = "plugins/greeter.yaml";
const GRANT = "grants/greeter.yaml";
const LOCK = "plugins/greeter.lock.json";

/** The golden fleet whose greeter says what it wants. */
function wanting(...refs: readonly string[]): Tree {
  return edited(TREE, LOCK, /"main": "[^"]+",\n/, `"main": "dist/main.js",\n  "wants": ${JSON.stringify(refs)},\n`);
}

async function findings(tree: Tree): Promise<readonly Finding[]> {
  return (await loadFleet(filesOf(tree))).findings;
}

/** Everything that makes a finding useful, in one line. */
async function told(tree: Tree): Promise<readonly string[]> {
  return (await findings(tree)).map(({ file, line, col, code, level, rule, also }) =>
    [`${file}:${line}:${col}`, level, code, rule, ...(also ?? []).map((item) => `also ${item.file}:${item.line}:${item.col}`)]
      .filter((part) => part !== undefined)
      .join(" "),
  );
}

const fixes = async (tree: Tree): Promise<readonly string[]> => (await findings(tree)).map((item) => item.fix);

test("a plugin whose wants are granted, or that does not say, is not spoken of", async () => {
  assert.deepEqual(await told(TREE), []);
  assert.deepEqual(await told(wanting("secret://team/greeting")), []);
});

test("a want without a grant is a warning at the version, with the line of the lock, and the fleet loads", async () => {
  const tree = wanting("secret://team/greeting", "secret://team/other");
  assert.deepEqual(await told(tree), [`${PLUGIN}:6:12 warning PLUGIN_WANT_UNGRANTED want-unknown also ${LOCK}:9:38`]);
  assert.match(
    (await findings(tree))[0]!.message,
    /plugin greeter wants secret:\/\/team\/other \(.*\) and is not granted it on 3 machines/,
  );
  assert.ok((await loadFleet(filesOf(tree))).fleet !== undefined);
});

test("a want that is granted on some of the plugin's machines names the others, and the grant that stops short", async () => {
  const ring = edited(wanting("secret://team/greeting"), "machines/mini-01.yaml", "role: greeter", "role: greeter, ring: canary");
  const tree = edited(ring, GRANT, "{ role: greeter }", "{ ring: canary }");
  assert.deepEqual(await told(tree), [`${PLUGIN}:6:12 warning PLUGIN_WANT_UNGRANTED want-ungranted also ${LOCK}:9:13 also ${GRANT}:7:3`]);
  assert.match((await findings(tree))[0]!.message, /on 2 machines \(mini-02 …\)/);
});

test("a grant of what the plugin does not want is a warning at the entry, with what was perhaps meant", async () => {
  assert.deepEqual(await told(wanting()), [`${GRANT}:9:14 warning GRANT_WIDER grant-wider also ${PLUGIN}:6:12`]);
  const misspelt = wanting("secret://team/greetings");
  assert.deepEqual(await told(misspelt), [
    `${GRANT}:9:14 warning GRANT_WIDER grant-wider also ${LOCK}:9:13`,
    `${PLUGIN}:6:12 warning PLUGIN_WANT_UNGRANTED want-unknown also ${LOCK}:9:13`,
  ]);
  assert.deepEqual(await fixes(misspelt), [
    "did you mean `secret://team/greetings`?",
    "there is no such secret; did you mean `secret://team/greeting`?",
  ]);
});

test("a grant for an unknown plugin or secret is an error with the nearest name", async () => {
  assert.deepEqual(await told(edited(TREE, GRANT, "plugin: greeter", "plugin: greter")), [
    `${GRANT}:6:11 error FLEET_REFERENCE_MISSING plugin-unknown`,
  ]);
  assert.deepEqual(await fixes(edited(TREE, GRANT, "team/greeting,", "team/greetign,")), ["did you mean `secret://team/greeting`?"]);
});

test("a selector that matches nothing names the label that no machine has", async () => {
  const value = edited(TREE, GRANT, "role: greeter", "role: greter");
  assert.deepEqual(await told(value), [`${GRANT}:7:31 warning FLEET_UNUSED selector-empty`]);
  assert.deepEqual(await fixes(value), ["did you mean `role: greeter`?"]);
  const key = edited(TREE, GRANT, "role: greeter", "rolle: greeter");
  assert.deepEqual(await fixes(key), ["did you mean `role`?"]);
  const both = edited(
    edited(TREE, "machines/mini-01.yaml", "site: fra", "site: zrh, ring: a"),
    GRANT,
    "role: greeter",
    "site: fra, ring: a",
  );
  assert.deepEqual(await told(both), [`${GRANT}:7:3 warning FLEET_UNUSED selector-empty`]);
  assert.match((await findings(both))[0]!.message, /no machine has all of these labels/);
});

test("selectors of overrides and freezes are looked at, and a grant where its plugin does not run", async () => {
  const override = edited(
    TREE,
    PLUGIN,
    "  machines:",
    "  overrides:\n    - { machines: { labels: { role: canary } }, config: {} }\n  machines:",
  );
  assert.deepEqual(await told(override), [`${PLUGIN}:11:37 warning FLEET_UNUSED selector-empty`]);
  const freeze = '  freeze: [{ name: w, schedule: "0 18 * * 5", duration: 1h, machines: { labels: { site: fre } } }]\n  trust:';
  assert.deepEqual(await told(edited(TREE, "fleet.yaml", "  trust:", freeze)), ["fleet.yaml:8:89 warning FLEET_UNUSED selector-empty"]);
  const apart = edited(edited(TREE, "machines/mini-01.yaml", "role: greeter", "role: other"), GRANT, "role: greeter", "role: other");
  assert.deepEqual(await told(apart), [`${GRANT}:7:3 warning FLEET_UNUSED grant-unreached also ${PLUGIN}:10:3`]);
});

test("where two documents clash, both places are named", async () => {
  const kx = /kx: (\S+)/.exec(TREE["machines/mini-01.yaml"]!)![1]!;
  const cases: readonly (readonly [tree: Tree, line: string])[] = [
    [
      edited(TREE, "machines/mini-02.yaml", /kx: \S+/, `kx: ${kx}`),
      "machines/mini-02.yaml:13:9 error FLEET_FIELD_INVALID machine-key-shared also machines/mini-01.yaml:13:9",
    ],
    [
      { ...TREE, "machines/b/mini-01.yaml": TREE["machines/mini-01.yaml"]! },
      "machines/mini-01.yaml:4:9 error NAME_TAKEN also machines/b/mini-01.yaml:4:9",
    ],
    [
      edited(
        TREE,
        PLUGIN,
        "  machines:",
        "  overrides:\n    - { machines: all, config: {} }\n    - { machines: all, config: {} }\n  machines:",
      ),
      `${PLUGIN}:12:7 error OVERRIDE_OVERLAP also ${PLUGIN}:11:7 also machines/mini-01.yaml:5:3`,
    ],
    [
      { ...TREE, "baselines/a.yaml": baseline("a", "false"), "baselines/b.yaml": baseline("b", "true") },
      "baselines/b.yaml:8:29 error BASELINE_CONFLICT also baselines/a.yaml:8:29 also machines/mini-01.yaml:5:3",
    ],
    [
      edited(TREE, GRANT, "delivery: fd }", "delivery: fd }\n    - { ref: secret://team/greeting, delivery: fd }"),
      `${GRANT}:10:14 error FLEET_FIELD_INVALID grant-twice also ${GRANT}:9:14`,
    ],
    [
      edited(TREE, LOCK, '"version": "1.0.0"', '"version": "1.0.1"'),
      `${PLUGIN}:6:12 error PLUGIN_LOCK_MISMATCH lock-differs also ${LOCK}:1:1`,
    ],
  ];
  for (const [tree, line] of cases) assert.deepEqual(await told(tree), [line]);
});

test("a file that is missing suggests the one beside it", async () => {
  const tree = edited(TREE, "secrets/team/greeting.yaml", "greeting.v1.age", "greting.v1.age");
  assert.deepEqual(await told(tree), ["secrets/team/greeting.yaml:9:13 error SECRET_FILE_WRONG file-missing"]);
  assert.deepEqual(await fixes(tree), ["did you mean `secrets/team/greeting.v1.age`?"]);
  assert.deepEqual(await fixes(edited(TREE, PLUGIN, "keys/release.pub", "keys/relase.pub")), ["did you mean `trust/keys/release.pub`?"]);
});

test("every finding says what it is about, whatever its line", async () => {
  const trees = [
    edited(TREE, GRANT, "plugin: greeter", "plugin: greter"),
    edited(TREE, GRANT, "delivery: fd", "delivry: fd"),
    edited(TREE, PLUGIN, "version: 1.0.0", "version: one"),
  ];
  const subjects = (await Promise.all(trees.map(findings))).map((list) => list.map((item) => item.subject));
  assert.deepEqual(subjects, [
    ["SecretGrant/greeter /spec/plugin"],
    ["SecretGrant/greeter /spec/secrets/0/delivry"], // and not that the right one is missing
    ["Plugin/greeter /spec/version"],
  ]);
});

test("names that every object has are names like others", async () => {
  const tree = edited(
    edited(TREE, "fleet.yaml", "threshold: 2", "threshold: 1, touch: required"),
    "fleet.yaml",
    "[a@acme.dev, b@acme.dev, rec",
    "[constructor, toString, rec",
  );
  assert.ok((await findings(tree)).some((item) => item.rule === "principal-unknown"));
});

function baseline(name: string, value: string): string {
  return `apiVersion: mooring/v1\nkind: Baseline\nmetadata:\n  name: ${name}\nspec:\n  machines: all\n  sshd:\n    passwordAuthentication: ${value}\n`;
}
