import assert from "node:assert/strict";
import { test } from "node:test";
import { edited, goldenTree, type Tree } from "#test/support/fleet-tree.ts";
import { demandFleet, filesOf, gate, loadFleet, resolve } from "./index.ts";

const IDENTITY =
  'issuer: https://token.actions.githubusercontent.com, repository: acme/fleet, repositoryId: "1001", ownerId: "42", workflow: .github/workflows/release.yml, ref: refs/heads/main';
const CI = `release: { by: ci, identity: { ${IDENTITY} } }`;
const HUB_KEY =
  'hub namespaces="mooring-release,mooring-secrets" ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl';

/** The golden fleet with another release role, and what else it takes. */
function withRole(role: string, extra: Tree = {}, require = "every"): Tree {
  const tree = edited(goldenTree(), "fleet.yaml", "release: { principals: [a@acme.dev, b@acme.dev] }", role);
  return { ...edited(tree, "fleet.yaml", "    lease: 48h", `    commits: { require: ${require} }\n    lease: 48h`), ...extra };
}

const ROOT = { "trust/trusted_root.json": "{}" };
const KEY = { "trust/allowed_signers": `${goldenTree()["trust/allowed_signers"] ?? ""}\n${HUB_KEY}\n` };

async function findingsOf(tree: Tree): Promise<readonly string[]> {
  const { fleet, findings } = await loadFleet(filesOf(tree));
  return (fleet === undefined ? findings : gate(fleet)).map(({ code, line, message }) => `${code} ${line > 1}: ${message}`);
}

test("a release role by ci or by hub is taken with all it needs, and is in the trust section", async () => {
  assert.deepEqual(await findingsOf(withRole(CI, ROOT, "none")), []);
  assert.deepEqual(await findingsOf(withRole("release: { by: hub }", KEY)), []);
  const ci = resolve(demandFleet(await loadFleet(filesOf(withRole(CI, ROOT)))));
  assert.equal(ci.trust.roles.release.identity?.repositoryId, "1001");
  assert.equal(ci.trust.authors, undefined);
  const hub = resolve(demandFleet(await loadFleet(filesOf(withRole("release: { by: hub }", KEY)))));
  assert.deepEqual(hub.trust.roles.release, { by: "hub", principals: ["hub"], threshold: 1, touch: "optional" });
  const head = resolve(demandFleet(await loadFleet(filesOf(withRole("release: { by: hub }", KEY, "head")))));
  assert.notEqual(head.trust.authors, hub.trust.authors, "who may author is root's to say");
});

test("what a role by ci or by hub lacks is refused at its line", async () => {
  const refused: Readonly<Record<string, Tree>> = {
    "ci without trusted root": withRole(CI),
    "ci without identity": withRole("release: { by: ci }", ROOT),
    "ci with principals": withRole(CI.replace("by: ci", "by: ci, principals: [a@acme.dev]"), ROOT),
    "hub without key": withRole("release: { by: hub }"),
    "hub without commit rule": withRole("release: { by: hub }", KEY, "none"),
    "hub with a threshold": withRole("release: { by: hub, threshold: 2 }", KEY),
    "people with identity": withRole(CI.replace("by: ci", "by: people, principals: [a@acme.dev]"), ROOT),
    "the hub among people": withRole("release: { principals: [a@acme.dev, hub] }", KEY),
  };
  for (const [name, tree] of Object.entries(refused)) {
    const found = await findingsOf(tree);
    assert.ok(found.length > 0 && found.every((text) => text.startsWith("ROLE_REFUSED true")), `${name}: ${found.join("; ")}`);
  }
  const foreign = await findingsOf(withRole(CI.replace("https://token.actions.githubusercontent.com", "https://gitlab.example.net"), ROOT));
  assert.deepEqual(foreign, ["NOT_YET true: issuer: workflows of this forge do not sign yet"]);
});

test("the schema knows root and access by people only, and refs and ids of one form", async () => {
  const root = "root: { principals: [a@acme.dev, b@acme.dev, recovery@acme.dev], threshold: 2 }";
  for (const [from, to] of [
    [root, root.replace("{", "{ by: hub,")],
    ["access: { principals: [security@acme.dev] }", `access: { by: ci, identity: { ${IDENTITY} } }`],
  ] as const)
    assert.ok((await findingsOf(edited(goldenTree(), "fleet.yaml", from, to))).length > 0, to);
  for (const [from, to] of [
    ["refs/heads/main", "refs/pull/7/merge"],
    ["refs/heads/main", "refs/heads/*"],
    ['repositoryId: "1001", ', ""],
    ['ownerId: "42", ', ""],
    ["acme/fleet", "acme"],
    [".github/workflows/release.yml", "../release.yml"],
  ] as const)
    assert.ok((await findingsOf(withRole(CI.replace(from, to), ROOT))).length > 0, to);
});
