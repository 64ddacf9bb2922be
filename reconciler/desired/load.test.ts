import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileName } from "#schemas/fleet/json-schema.ts";
import { edited, goldenTree, type Tree } from "#test/support/fleet-tree.ts";
import { parseBlob } from "./document.ts";
import { demandFleet, filesOf, type Finding, loadFleet, type LoadOptions, newLoadCache } from "./index.ts";

const TREE = goldenTree();
const PLUGIN = "plugins/greeter.yaml";
const MACHINE = "machines/mini-01.yaml";
const GRANT = "grants/greeter.yaml";
const SECRET = "secrets/team/greeting.yaml";

async function findings(tree: Tree, options?: LoadOptions): Promise<readonly Finding[]> {
  return (await loadFleet(filesOf(tree), options)).findings;
}

/** `file:line:col code` of every finding. */
async function found(tree: Tree, options?: LoadOptions): Promise<readonly string[]> {
  return (await findings(tree, options)).map(({ file, line, col, code }) => `${file}:${line}:${col} ${code}`);
}

test("the golden fleet is valid", async () => {
  const result = await loadFleet(filesOf(TREE));
  assert.deepEqual(result.findings, []);
  assert.equal(demandFleet(result).machines.length, 3);
});

test("a misspelt field is named at its place with the nearest valid spelling", async () => {
  const tree = edited(TREE, PLUGIN, "  version:", "  versoin:");
  const found = (await findings(tree)).map(({ code, line, col, endCol, fix }) => [code, line, col, endCol, fix]);
  assert.deepEqual(found, [["FLEET_FIELD_UNKNOWN", 6, 3, 10, "did you mean `version`?"]], "one mistake, one finding");
});

// Once a misspelt field that has to be there was two findings, and the first named the wrong line.
test("a field counts as missing beside a misspelt one only where it is another", async () => {
  const tree = edited(edited(TREE, PLUGIN, "  version:", "  versoin:"), PLUGIN, /\n {2}digest: .*/, "");
  assert.deepEqual(
    (await findings(tree)).map(({ code, message }) => [code, message]),
    [
      ["FLEET_FIELD_MISSING", "field spec.digest is missing"],
      ["FLEET_FIELD_UNKNOWN", "unknown field versoin in spec"],
    ],
  );
  const twice = edited(TREE, PLUGIN, "  version: 1.0.0", "  versoin: 1.0.0\n  verison: 1.0.0");
  assert.deepEqual(
    (await findings(twice)).map(({ code }) => code),
    ["FLEET_FIELD_UNKNOWN", "FLEET_FIELD_UNKNOWN"],
  );
});

test("suggestions reach into defaults, lists, unions and enums", async () => {
  const cases: readonly (readonly [path: string, from: string, to: string, fix: string])[] = [
    [MACHINE, "connect: { addresses", "connect: { prot: 22, addresses", "did you mean `port`?"],
    [PLUGIN, "machines: { labels", "machines: { label", "did you mean `labels`?"],
    [PLUGIN, "  machines:", "  run: { restrat: always }\n  machines:", "did you mean `restart`?"],
    [GRANT, "delivery: fd", "delivery: fd, hots: [a]", "did you mean `hosts`?"],
    [MACHINE, "mode: manage", "mode: mangae", "did you mean `manage`?"],
    [MACHINE, "kind: Machine", "kind: Machin", "did you mean `Machine`?"],
    ["fleet.yaml", "threshold: 2", "treshold: 2", "did you mean `threshold`?"],
  ];
  for (const [path, from, to, fix] of cases) {
    const list = await findings(edited(TREE, path, from, to));
    assert.ok(
      list.some((item) => item.fix === fix && item.file === path),
      `${to}: ${JSON.stringify(list)}`,
    );
  }
});

test("every rule about one file has its code", async () => {
  const cases: readonly (readonly [path: string, from: string | RegExp, to: string, code: string])[] = [
    [PLUGIN, "version: 1.0.0", "version: 1.10", "FLEET_VALUE_UNQUOTED"],
    [PLUGIN, "version: 1.0.0", "version: &v 1.0.0", "FLEET_YAML_REFUSED"],
    [PLUGIN, "kind: Plugin", "kind: Secret", "KIND_MISPLACED"],
    [PLUGIN, "name: greeter", "name: other", "NAME_MISPLACED"],
    [MACHINE, "kind: Machine\n", "", "FLEET_FIELD_MISSING"],
    [MACHINE, "incarnation: 1", "incarnation: 0", "FLEET_FIELD_INVALID"],
    [MACHINE, /kx: age1tag1./, "kx: age1tag1b", "FLEET_FIELD_INVALID"],
    [PLUGIN, "source: {", 'source: { npm: "x", ', "FLEET_FIELD_INVALID"],
    [GRANT, "delivery: fd", "delivery: egress", "FLEET_FIELD_INVALID"],
  ];
  for (const [path, from, to, code] of cases) {
    const list = await findings(edited(TREE, path, from, to));
    assert.ok(
      list.some((item) => item.code === code && item.file === path),
      `${code}: ${JSON.stringify(list)}`,
    );
  }
});

test("documents are found only in the folder of their kind", async () => {
  const machine = TREE[MACHINE]!;
  const extra: Tree = {
    ...TREE,
    "elsewhere/mini-09.yaml": machine,
    "machines/x.yml": machine,
    "docs/notes.yaml": "a: &b 1\n",
    ".github/w.yml": machine,
    "policies/tests/t.yaml": machine,
  };
  assert.deepEqual(await found(extra), ["elsewhere/mini-09.yaml:2:7 KIND_MISPLACED", "machines/x.yml:2:7 KIND_MISPLACED"]);
});

test("a name is used once among the machines, wherever their files lie", async () => {
  assert.deepEqual(await found({ ...TREE, "machines/zurich/mini-01.yaml": TREE[MACHINE]! }), [
    "machines/zurich/mini-01.yaml:4:9 NAME_TAKEN",
  ]);
});

test("two machines never share a key", async () => {
  const kx = /kx: (\S+)/.exec(TREE[MACHINE]!)![1]!;
  assert.deepEqual(await found(edited(TREE, "machines/mini-02.yaml", /kx: \S+/, `kx: ${kx}`)), [
    "machines/mini-02.yaml:13:9 FLEET_FIELD_INVALID",
  ]);
});

test("software keys need the fleet's word", async () => {
  const codes = (await findings(edited(TREE, "fleet.yaml", "allowSoftwareKeys: true", "allowSoftwareKeys: false"))).map(
    (item) => item.code,
  );
  assert.deepEqual(codes, ["SOFTWARE_KEYS_REFUSED", "SOFTWARE_KEYS_REFUSED", "SOFTWARE_KEYS_REFUSED"]);
});

test("what a document names must be there", async () => {
  const cases: readonly (readonly [path: string, from: string, to: string, at: string])[] = [
    [GRANT, "plugin: greeter", "plugin: greter", `${GRANT}:6:11`],
    [GRANT, "secret://team/greeting", "secret://team/greetings", `${GRANT}:9:14`],
    [PLUGIN, "  machines:", "  dependsOn: [other]\n  machines:", `${PLUGIN}:10:15`],
    [PLUGIN, "release.pub", "gone.pub", `${PLUGIN}:9:18`],
    [SECRET, "current: 1", "current: 2", `${SECRET}:6:12`],
    ["fleet.yaml", "principals: [security@acme.dev] } # who", "principals: [nobody@acme.dev] } # who", "fleet.yaml:12:30"],
  ];
  for (const [path, from, to, at] of cases)
    assert.deepEqual(await found(edited(TREE, path, from, to)), [`${at} FLEET_REFERENCE_MISSING`], to);
  const { "fleet.yaml": _, ...without } = TREE;
  assert.deepEqual(await found(without), ["fleet.yaml:1:1 FLEET_REFERENCE_MISSING"]);
  const { "trust/allowed_signers": __, ...unsigned } = TREE;
  assert.equal((await findings(unsigned))[0]?.code, "FLEET_REFERENCE_MISSING");
});

test("a role's threshold and touch can be met by its principals", async () => {
  assert.deepEqual(await found(edited(TREE, "fleet.yaml", "threshold: 2", "threshold: 4")), ["fleet.yaml:10:7 FLEET_FIELD_INVALID"]);
  assert.equal(
    (await findings(edited(TREE, "fleet.yaml", "threshold: 2", "threshold: 2, touch: required")))[0]?.code,
    "FLEET_FIELD_INVALID",
  );
});

test("plugins do not depend on each other in a circle", async () => {
  const list = await found(edited(TREE, PLUGIN, "  machines:", "  dependsOn: [greeter]\n  machines:"));
  assert.deepEqual(list, [`${PLUGIN}:10:3 FLEET_FIELD_INVALID`]);
});

test("an override must not overlap another, and names version and digest together", async () => {
  const override =
    "  overrides:\n    - { machines: all, config: { a: 1 } }\n    - { machines: { labels: { role: greeter } }, config: { a: 2 } }\n  machines:";
  const [overlap] = await findings(edited(TREE, PLUGIN, "  machines:", override));
  assert.equal(overlap?.code, "OVERRIDE_OVERLAP");
  assert.match(overlap?.message ?? "", /line 11/);
  const half = await findings(edited(TREE, PLUGIN, "  machines:", "  overrides: [{ machines: all, version: 2.0.0 }]\n  machines:"));
  assert.equal(half[0]?.code, "FLEET_FIELD_INVALID");
});

test("age files and locks agree with their documents", async () => {
  assert.deepEqual(await found(edited(TREE, "secrets/team/greeting.v1.age", "BEGIN", "BEGiN")), [`${SECRET}:10:15 SECRET_FILE_WRONG`]);
  const { "secrets/team/greeting.v1.age": _, ...without } = TREE;
  assert.deepEqual(await found(without), [`${SECRET}:9:13 SECRET_FILE_WRONG`]);
  const lock = "plugins/greeter.lock.json";
  const broken: readonly (readonly [from: string | RegExp, to: string])[] = [
    ['"1.0.0"', '"1.0.1"'],
    ['"name": "greeter"', '"name": "other"'],
    [/"digest": "sha256:./, '"digest": "sha256:f'],
    ["420,", "493,"],
    ["{", "["],
    ['"main": "', '"main": "x'],
  ];
  for (const [from, to] of broken) assert.deepEqual(await found(edited(TREE, lock, from, to)), [`${PLUGIN}:6:12 PLUGIN_LOCK_MISMATCH`], to);
  const { [lock]: __, ...unlocked } = TREE;
  assert.deepEqual(await found(unlocked), [`${PLUGIN}:6:12 PLUGIN_LOCK_MISMATCH`]);
});

test("files under trust are read strictly", async () => {
  const signers = "trust/allowed_signers";
  assert.equal(
    (await findings(edited(TREE, signers, "b@acme.dev ssh", "b@acme.dev valid-after=20260101 ssh")))[0]?.code,
    "FLEET_TRUST_INVALID",
  );
  assert.equal((await findings({ ...TREE, "trust/recipients": "not-a-recipient\n" }))[0]?.code, "FLEET_TRUST_INVALID");
  assert.equal((await findings({ ...TREE, "trust/keys/release.pub": "nothing\n" }))[0]?.code, "FLEET_TRUST_INVALID");
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey.export({ type: "spki", format: "pem" }) as string;
  assert.equal((await findings({ ...TREE, "trust/keys/release.pub": rsa }))[0]?.code, "FLEET_TRUST_INVALID");
  const some = edited(TREE, signers, "ops@acme.dev ssh", 'ops@acme.dev namespaces="mooring-action" ssh');
  const found = (await findings(some)).find((item) => item.code === "FLEET_TRUST_INVALID");
  const line = (some[signers] ?? "").split("\n").findIndex((text) => text.startsWith("ops@acme.dev")) + 1;
  assert.deepEqual([found?.rule, found?.subject, found?.line], ["key-namespaces", "allowed_signers/ops@acme.dev", line]);
});

test("what is not plain YAML says which rule it breaks", async () => {
  const cases: readonly (readonly [to: string, rule: string])[] = [
    ["version: &v 1.0.0", "alias"],
    ["version: !!str 1.0.0", "tag"],
    ["version: 1.0.0\n  version: 1.0.0", "duplicate-key"],
    ["version: [", "syntax"],
    ["version: 1.0.0\n  <<: {}", "key"],
  ];
  for (const [to, rule] of cases)
    assert.deepEqual((await findings(edited(TREE, PLUGIN, "version: 1.0.0", to))).map((item) => [item.code, item.rule])[0], [
      "FLEET_YAML_REFUSED",
      rule,
    ]);
});

test("a key that signs only commits signs no release", async () => {
  const tree = edited(TREE, "trust/allowed_signers", "ops@acme.dev ssh", 'ops@acme.dev namespaces="git" ssh');
  assert.equal((await findings(tree))[0]?.code, "FLEET_REFERENCE_MISSING"); // ops@ is named for actions
});

test("a repo for a newer mooring is refused", async () => {
  const tree = edited(TREE, "fleet.yaml", '">=0.1"', '">=0.4"');
  assert.deepEqual(await found(tree, { version: "0.3.9" }), ["fleet.yaml:6:13 FLEET_TOO_NEW"]);
  assert.deepEqual(await found(tree, { version: "0.4.0" }), []);
  assert.deepEqual(await found(tree, { version: "1.0.0" }), []);
});

test("two baselines that set one field differently are both named", async () => {
  const tree = {
    ...TREE,
    "baselines/a.yaml": baseline("a", "passwordAuthentication: false"),
    "baselines/b.yaml": baseline("b", "passwordAuthentication: true"),
  };
  const [conflict, ...more] = await findings(tree);
  assert.deepEqual([conflict?.code, more.length], ["BASELINE_CONFLICT", 0]);
  assert.match(conflict?.message ?? "", /baselines\/a\.yaml:8:29 and baselines\/b\.yaml:8:29/);
  const same = {
    ...TREE,
    "baselines/a.yaml": baseline("a", "permitRootLogin: false"),
    "baselines/b.yaml": baseline("b", "permitRootLogin: false"),
  };
  assert.deepEqual(await found(same), []);
});

test("a selector that takes no machine is a warning, and the fleet still loads", async () => {
  const result = await loadFleet(filesOf(edited(TREE, GRANT, "role: greeter", "role: greter")));
  assert.deepEqual(
    result.findings.map(({ code, level, line }) => [code, level, line]),
    [["FLEET_UNUSED", "warning", 7]],
  );
  assert.ok(result.fleet !== undefined);
});

test("findings of a broken document are not followed by those it would cause elsewhere", async () => {
  assert.deepEqual(await found(edited(TREE, SECRET, "current: 1", "current: one")), [`${SECRET}:6:12 FLEET_FIELD_INVALID`]);
});

test("no finding shows a value", async () => {
  const secret = "hunter2hunter2";
  for (const [path, from] of [
    [MACHINE, "mode: manage"],
    [PLUGIN, "version: 1.0.0"],
    [SECRET, "current: 1"],
    [GRANT, "delivery: fd"],
    ["fleet.yaml", "lease: 48h"],
  ] as const) {
    const list = await findings(edited(TREE, path, from, `${from.split(":")[0]}: ${secret}`));
    assert.ok(list.length > 0 && !JSON.stringify(list).includes(secret), JSON.stringify(list));
  }
});

test("only changed blobs are read again", async () => {
  const cache = newLoadCache();
  const reads: string[] = [];
  const watched = (tree: Tree) =>
    new Map([...filesOf(tree)].map(([path, file]) => [path, { oid: file.oid, read: () => (reads.push(path), file.read()) }]));
  await loadFleet(watched(TREE), { cache });
  reads.length = 0;
  const result = await loadFleet(watched(edited(TREE, PLUGIN, "kind: Plugin", "kind: Plugin # a comment")), { cache });
  assert.deepEqual(result.findings, []);
  assert.deepEqual(
    reads.filter((path) => path.endsWith(".yaml") || path.endsWith(".age")),
    [PLUGIN],
  );
});

test("demandFleet throws the first error with its place", async () => {
  const result = await loadFleet(filesOf(edited(TREE, GRANT, "plugin: greeter", "plugin: gone")));
  assert.throws(() => demandFleet(result), { code: "FLEET_INVALID", message: `${GRANT}:6:11 FLEET_REFERENCE_MISSING` });
});

test("the examples of docs/spec are valid documents of their kind", () => {
  const folder = join(import.meta.dirname, "../../docs/spec");
  const pages = readdirSync(folder).filter((name) => name.endsWith(".md") && name !== "README.md");
  assert.equal(pages.length, 8);
  for (const page of pages) {
    const yaml = /```yaml\n([^`]+)```/.exec(readFileSync(join(folder, page), "utf8"))?.[1] ?? "";
    const { kind, problems } = parseBlob(new TextEncoder().encode(yaml));
    assert.deepEqual([page, problems], [page, []]);
    assert.equal(page, `${fileName(kind ?? "")}.md`);
  }
});

function baseline(name: string, sshd: string): string {
  return `apiVersion: mooring/v1\nkind: Baseline\nmetadata:\n  name: ${name}\nspec:\n  machines: all\n  sshd:\n    ${sshd}\n`;
}
