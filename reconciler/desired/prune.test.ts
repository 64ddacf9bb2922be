import assert from "node:assert/strict";
import { test } from "node:test";
import { edited, type Tree } from "#test/support/fleet-tree.ts";
import { wideMachine, wideTree } from "#test/support/wide-tree.ts";
import { demandFleet, filesOf, guardPrune, goneObjects, loadFleet, type Pruned, resolve } from "./index.ts";

async function sideOf(tree: Tree): Promise<Pruned> {
  const repo = demandFleet(await loadFleet(filesOf(tree)));
  return { repo, resolved: resolve(repo) };
}

const without = (tree: Tree, pattern: RegExp): Tree => Object.fromEntries(Object.entries(tree).filter(([path]) => !pattern.test(path)));

async function codesOf(base: Tree, head: Tree, confirmedBy: readonly string[] = []): Promise<readonly string[]> {
  const findings = guardPrune(await sideOf(base), await sideOf(head), { confirmedBy });
  return findings.map(({ code, level, file }) => `${level} ${code} ${file}`);
}

const WIDE = wideTree(10);

test("up to the share that the base allows may go, no more, each kind by itself", async () => {
  assert.deepEqual(await codesOf(WIDE, without(WIDE, /^machines\/m-0[01]/)), []);
  assert.deepEqual(await codesOf(WIDE, without(WIDE, /^machines\/m-0[012]/)), ["error PRUNE_UNCONFIRMED machines/m-00.yaml"]);
  assert.deepEqual(await codesOf(WIDE, without(WIDE, /^(plugins|grants)\/p-0[012]/)), [
    "error PRUNE_UNCONFIRMED plugins/p-00.yaml",
    "error PRUNE_UNCONFIRMED grants/p-00.yaml",
  ]);
});

test("the base's settings judge: a change that lifts the guard is judged by the guard it lifts", async () => {
  const lifted = edited(WIDE, "fleet.yaml", "  interval: 10m", "  interval: 10m\n  prune: { maxDeletePercent: 60 }");
  const head = without(lifted, /^machines\/m-0[0-4]/);
  assert.deepEqual(await codesOf(WIDE, head), ["error PRUNE_UNCONFIRMED machines/m-00.yaml"]);
  assert.deepEqual(await codesOf(lifted, head), []);
});

test("mode auto only warns; whoever confirmed is named", async () => {
  const auto = edited(WIDE, "fleet.yaml", "  interval: 10m", "  interval: 10m\n  prune: { mode: auto }");
  assert.deepEqual(await codesOf(auto, without(auto, /^machines\/m-0[0-4]/)), ["warning PRUNE_UNCONFIRMED machines/m-00.yaml"]);
  assert.deepEqual(await codesOf(WIDE, without(WIDE, /^machines\/m-0[0-4]/), ["ops@acme.dev"]), [
    "notice PRUNE_UNCONFIRMED machines/m-00.yaml",
  ]);
});

test("a fleet that loses every machine is refused, small or not, in every mode", async () => {
  const small = wideTree(1);
  assert.deepEqual(await codesOf(small, without(small, /^machines\//)), ["error FLEET_EMPTIED fleet.yaml"]);
  const auto = edited(WIDE, "fleet.yaml", "  interval: 10m", "  interval: 10m\n  prune: { mode: auto }");
  assert.deepEqual(await codesOf(auto, without(auto, /^machines\//)), ["error FLEET_EMPTIED fleet.yaml"]);
});

test("below five objects of a kind a share says nothing", async () => {
  const small = wideTree(4);
  assert.deepEqual(await codesOf(small, without(small, /^machines\/m-0[012]/)), []);
});

test("a label that takes plugins off their machines counts like a deleted file", async () => {
  const names = Object.keys(WIDE).filter((path) => /^machines\/m-0[0-4]/.test(path));
  const mistyped = names.reduce((tree, path) => edited(tree, path, "role: greeter", "role: greter"), WIDE);
  assert.deepEqual(await codesOf(WIDE, mistyped), ["error PRUNE_UNCONFIRMED machines/m-00.yaml"]);
});

test("what is renamed has not gone: machines by their keys, plugins by their bundle, grants by what they say", async () => {
  const head: Record<string, string> = { ...without(WIDE, /^machines\/m-0[0-4]/) };
  for (let i = 0; i < 5; i++) head[`machines/n-0${i}.yaml`] = wideMachine(i, `n-0${i}`);
  assert.deepEqual(await codesOf(WIDE, head), []);
  const { gone, renamed } = goneObjects((await sideOf(WIDE)).repo, (await sideOf(head)).repo);
  assert.deepEqual(
    [gone.length, renamed.map(({ from, to }) => `${from.name} ${to.name}`)],
    [0, ["m-00 n-00", "m-01 n-01", "m-02 n-02", "m-03 n-03", "m-04 n-04"]],
  );
});
