import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { demandFleet, filesOf, type FleetRepo, loadFleet } from "../desired/index.ts";
import { edited, goldenTree, type Tree } from "#test/support/fleet-tree.ts";
import { changesBetween, subjectOf, touchesRules } from "./subjects.ts";

const golden = goldenTree();
const repoOf = async (tree: Tree): Promise<FleetRepo> => demandFleet(await loadFleet(filesOf(tree)));
const without = (tree: Tree, path: string): Tree => Object.fromEntries(Object.entries(tree).filter(([name]) => name !== path));

type Change = {
  readonly action: string;
  readonly destructive: boolean;
  readonly fields: readonly string[];
  readonly machines: { readonly before: number; readonly after: number; readonly gained: number; readonly lost: number };
};

async function changed(before: Tree, after: Tree) {
  const [base, head] = [await repoOf(before), await repoOf(after)];
  const found = changesBetween(base, head).filter(({ action }) => action !== "keep");
  return found.map((item) => {
    const change = subjectOf(item, head, base).change as Change;
    return { doc: `${item.doc.kind}/${item.doc.name}`, ...change };
  });
}

test("an edit is an update that says what differs", async () => {
  assert.deepEqual(await changed(golden, edited(golden, "grants/greeter.yaml", "2028", "2029")), [
    {
      doc: "SecretGrant/greeter",
      action: "update",
      destructive: false,
      fields: ["/spec/expires"],
      machines: { before: 3, after: 3, gained: 0, lost: 0 },
    },
  ]);
});

test("comments, order and spacing change nothing; a moved file neither", async () => {
  const spaced = edited(golden, "grants/greeter.yaml", "spec:", "# a word\nspec: # another");
  assert.deepEqual(await changed(golden, spaced), []);
  const path = "machines/mini-01.yaml";
  assert.deepEqual(await changed(golden, { ...without(golden, path), "machines/fra/mini-01.yaml": golden[path]! }), []);
});

test("a machine that goes is deleted; what reached it is not changed by that", async () => {
  assert.deepEqual(
    (await changed(golden, without(golden, "machines/mini-02.yaml"))).map(({ doc, action, destructive }) => [doc, action, destructive]),
    [["Machine/mini-02", "delete", true]],
  );
});

test("a machine that comes is created, and what reaches it is updated: it gains a machine", async () => {
  assert.deepEqual(
    (await changed(without(golden, "machines/mini-02.yaml"), golden)).map(({ doc, action, machines }) => [doc, action, machines]),
    [
      ["Machine/mini-02", "create", { before: 0, after: 1, gained: 1, lost: 0 }],
      ["Plugin/greeter", "update", { before: 2, after: 3, gained: 1, lost: 0 }],
      ["SecretGrant/greeter", "update", { before: 2, after: 3, gained: 1, lost: 0 }],
    ],
  );
});

test("a selector that lets machines go is destructive", async () => {
  const two = edited(golden, "machines/mini-03.yaml", "site: fra", "site: ams");
  const [found] = await changed(two, edited(two, "grants/greeter.yaml", "role: greeter", "site: fra"));
  assert.deepEqual(
    [found?.doc, found?.destructive, found?.machines],
    ["SecretGrant/greeter", true, { before: 3, after: 2, gained: 0, lost: 1 }],
  );
});

test("keys of trust are a change of the Fleet; policies, trust and grants are rules", async () => {
  const signers = "trust/allowed_signers";
  const fewer = edited(golden, signers, /^vault.*\n/m, "");
  const [base, head] = [await repoOf(golden), await repoOf(fewer)];
  const found = changesBetween(base, head).filter(({ action }) => action !== "keep");
  assert.deepEqual(
    found.map(({ doc, fields }) => [doc.kind, fields]),
    [["Fleet", ["/trust"]]],
  );
  assert.equal(touchesRules(found), true);
  const plugin = edited(golden, "plugins/greeter.yaml", "machines:", "config: { tone: warm }\n  machines:");
  assert.equal(touchesRules(changesBetween(base, await repoOf(plugin))), false);
  assert.equal(touchesRules(changesBetween(base, await repoOf(edited(golden, "fleet.yaml", "lease: 48h", "lease: 24h")))), true);
});

test("whose signature on a commit counts is trust, too: a key for git alone, its namespaces and times", async () => {
  const signers = "trust/allowed_signers";
  const key = /ssh-ed25519 \S+/.exec(golden[signers]!)![0].replace(/.$/, "A");
  for (const line of [`a@acme.dev namespaces="git" ${key}`, `a@acme.dev namespaces="git",valid-before="20270101Z" ${key}`]) {
    const found = await changed(golden, { ...golden, [signers]: `${golden[signers]!}${line}\n` });
    assert.deepEqual(
      found.map(({ doc, fields }) => [doc, fields]),
      [["Fleet/acme", ["/trust"]]],
    );
  }
});

test("the file of a plugin's signer and its lock are parts of the plugin", async () => {
  const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const other = publicKey.export({ type: "spki", format: "pem" }) as string;
  const fieldsOf = async (head: Tree) => (await changed(golden, head)).map(({ doc, action, fields }) => [doc, action, fields]);
  assert.deepEqual(await fieldsOf({ ...golden, "trust/keys/release.pub": other }), [["Plugin/greeter", "update", ["/spec/verify/key"]]]);
  const lock = edited(golden, "plugins/greeter.lock.json", /"serial":\s*\d+/, '"serial": 99');
  assert.deepEqual(await fieldsOf(lock), [["Plugin/greeter", "update", ["/lock"]]]);
});

test("members called as JavaScript's own are members like others", async () => {
  const plain = edited(golden, "plugins/greeter.yaml", "machines:", "config: { tone: warm }\n  machines:");
  for (const name of ["constructor", "toString", "hasOwnProperty"]) {
    const [found] = await changed(plain, edited(plain, "plugins/greeter.yaml", "tone: warm", `tone: warm, ${name}: { a: 1 }`));
    assert.deepEqual(found?.fields, [`/spec/config/${name}`]);
  }
});

test("a baseline that a label takes off a machine that stays is an update; a machine that goes takes it off nothing", async () => {
  const path = "baselines/fra.yaml";
  const base = {
    ...golden,
    [path]: "apiVersion: mooring/v1\nkind: Baseline\nmetadata: { name: fra }\nspec: { machines: { labels: { site: fra } } }\n",
  };
  const found = await changed(base, edited(base, "machines/mini-02.yaml", "site: fra", "site: ams"));
  assert.deepEqual(
    found.map(({ doc, action, destructive, machines }) => [doc, action, destructive, machines.lost]),
    [
      ["Machine/mini-02", "update", false, 0],
      ["Baseline/fra", "update", true, 1],
    ],
  );
  const gone = await changed(base, without(base, "machines/mini-02.yaml"));
  assert.deepEqual(
    gone.map(({ doc }) => doc),
    ["Machine/mini-02"],
  );
});

test("every document is listed once, whatever comes and goes, and nothing is changed against itself", async () => {
  const paths = Object.keys(golden).filter((path) => path.startsWith("machines/"));
  const trees = fc
    .subarray(paths, { minLength: 1 })
    .map((left) => Object.fromEntries(Object.entries(golden).filter(([path]) => !path.startsWith("machines/") || left.includes(path))));
  await fc.assert(
    fc.asyncProperty(trees, trees, async (before, after) => {
      const [base, head] = [await repoOf(before), await repoOf(after)];
      const all = changesBetween(base, head);
      const ids = all.map(({ doc }) => `${doc.kind} ${doc.name}`);
      assert.equal(new Set(ids).size, ids.length);
      assert.equal(all.filter(({ action }) => action !== "delete").length, head.machines.length + 4);
      assert.ok(changesBetween(head, head).every(({ action }) => action === "keep"));
    }),
    { numRuns: 25 },
  );
});
