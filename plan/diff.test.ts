import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { canon, type Digest, digestOf } from "#base/canonical/index.ts";
import type { PluginId, PluginSection, Section, Step } from "#schemas/wire/index.ts";
import { type Desired, type Live, planMachine } from "./index.ts";

const KEYS = [
  "trust",
  "agent",
  "identity",
  "openclaw",
  "sshd",
  "account/admin",
  "account/ops",
  "posture",
  "plugin/a",
  "plugin/b",
  "plugin/c",
  "grant/a/team/x",
  "grant/b/team/x",
  "secret/team/x",
  "revoked",
];
const leaf = (n: number): Digest => digestOf(`leaf ${n}`);

/** A section of a key whose content, and so its leaf, is the number `n`. */
function sectionOf(key: string, dependsOn: readonly string[] = [], drift: PluginSection["drift"] = "correct"): Section {
  const [kind, name] = key.split(/\/(.*)/s) as [string, string | undefined];
  if (kind !== "plugin") return { kind, ...(name === undefined ? {} : { name }) } as unknown as Section;
  const run = dependsOn.length === 0 ? { mode: "lobster" } : { mode: "lobster", dependsOn };
  return { kind, name: name as PluginId, version: "1.0.0", serial: 1, bundle: leaf(0), signer: {}, run, config: {}, network: [], drift };
}

const desiredOf = (entries: readonly (readonly [string, number])[]): Desired => {
  const sorted = [...entries].sort(([a], [b]) => (a < b ? -1 : 1));
  return { index: sorted.map(([key, n]) => [key, leaf(n)]), sections: sorted.map(([key]) => sectionOf(key)) };
};

const entries = fc.uniqueArray(fc.tuple(fc.constantFrom(...KEYS), fc.nat(2)), { selector: ([key]) => key });
const desired = entries.map(desiredOf);
/** Live state: what an earlier plan left, some of it drifted, perhaps from what is wanted now. */
const live = fc.tuple(entries, fc.array(fc.tuple(fc.constantFrom(...KEYS), fc.nat(2)))).map(([there, drifts]): Live => {
  const { index } = desiredOf(there);
  const drifted = new Map(drifts.filter(([key]) => index.some(([own]) => own === key)).map(([key, n]) => [key, leaf(n)]));
  return { index: index.map(([key, own]) => [key, drifted.has(key) ? digestOf(`drift ${own}`) : own]), drifted };
});

/** What an agent that does every step is left with. */
function applied(from: Live, steps: readonly Step[]): Live {
  const index = new Map(from.index);
  const drifted = new Map(from.drifted);
  for (const { key, verb, after } of steps) {
    drifted.delete(key);
    if (verb === "remove" || after === null) index.delete(key);
    else index.set(key, after);
  }
  return { index: [...index].sort(([a], [b]) => (a < b ? -1 : 1)), drifted };
}

test("an applied plan leaves no drift, and planning again gives nothing", () => {
  fc.assert(
    fc.property(desired, live, (want, have) => {
      const after = applied(have, planMachine(want, have));
      assert.deepEqual([after.index, after.drifted.size], [want.index, 0]);
      assert.deepEqual(planMachine(want, after), []);
    }),
  );
});

test("nothing outside the inventory is ever pruned, and nothing wanted is", () => {
  fc.assert(
    fc.property(desired, live, (want, have) => {
      const inventory = new Set(have.index.map(([key]) => key));
      const wanted = new Set(want.index.map(([key]) => key));
      for (const step of planMachine(want, have)) {
        if (step.verb === "remove") assert.ok(inventory.has(step.key) && !wanted.has(step.key));
        if (step.verb === "add") assert.ok(!inventory.has(step.key));
      }
    }),
  );
});

test("equal inputs give equal bytes, whatever the order they came in", () => {
  fc.assert(
    fc.property(desired, live, (want, have) => {
      const turned: Live = { index: [...have.index].reverse(), drifted: new Map([...have.drifted].reverse()) };
      const turnedWant: Desired = { index: [...want.index].reverse(), sections: [...want.sections].reverse() };
      assert.equal(canon(planMachine(want, have)), canon(planMachine(turnedWant, turned)));
    }),
  );
});

test("steps go from trust to revocations, removals last and backwards", () => {
  const all = KEYS.map((key): readonly [string, number] => [key, 1]);
  const nothing: Live = { index: [], drifted: new Map() };
  const order = [
    "trust",
    "agent",
    "identity",
    "openclaw",
    "sshd",
    "account/admin",
    "account/ops",
    "posture",
    "plugin/a",
    "plugin/b",
    "plugin/c",
    "grant/a/team/x",
    "grant/b/team/x",
    "secret/team/x",
    "revoked",
  ];
  assert.deepEqual(
    planMachine(desiredOf(all), nothing).map(({ key }) => key),
    order,
  );
  const gone = planMachine({ index: [], sections: [] }, { index: desiredOf(all).index, drifted: new Map() });
  assert.deepEqual(
    gone.map(({ key }) => key),
    order.toReversed(),
  );
  const mixed = planMachine(desiredOf([["grant/a/team/x", 1]]), { index: desiredOf([["account/admin", 1]]).index, drifted: new Map() });
  assert.deepEqual(
    mixed.map(({ key, verb }) => `${verb} ${key}`),
    ["add grant/a/team/x", "remove account/admin"],
  );
});

test("a plugin comes after what it depends on, and a circle ends", () => {
  const sections = [
    sectionOf("plugin/a", ["b"]),
    sectionOf("plugin/b", ["c"]),
    sectionOf("plugin/c"),
    sectionOf("plugin/d", ["d", "gone"]),
  ];
  const index = ["plugin/a", "plugin/b", "plugin/c", "plugin/d"].map((key) => [key, leaf(1)] as const);
  const steps = planMachine({ index, sections }, { index: [], drifted: new Map() });
  assert.deepEqual(
    steps.map(({ key }) => key),
    ["plugin/c", "plugin/d", "plugin/b", "plugin/a"],
  );
});

test("changing, repairing or removing a plugin disrupts, adding one does not; sshd always does", () => {
  const have: Live = {
    index: desiredOf([
      ["plugin/a", 1],
      ["plugin/b", 1],
      ["plugin/c", 1],
      ["secret/team/x", 1],
    ]).index,
    drifted: new Map([["plugin/b", leaf(1)]]),
  };
  const want = desiredOf([
    ["plugin/a", 2],
    ["plugin/b", 1],
    ["sshd", 1],
    ["secret/team/x", 2],
  ]);
  const steps = planMachine({ ...want, index: [...want.index, ["plugin/new", leaf(1)]] }, have);
  assert.deepEqual(
    steps.map(({ verb, key, disrupts }) => `${verb} ${key} ${disrupts}`),
    [
      "add sshd true",
      "change plugin/a true",
      "repair plugin/b true",
      "add plugin/new false",
      "change secret/team/x false",
      "remove plugin/c true",
    ],
  );
});

test("drift is a repair when what is wanted has not changed, else a change", () => {
  const have: Live = { index: [["plugin/a", digestOf("drift")]], drifted: new Map([["plugin/a", leaf(1)]]) };
  assert.equal(planMachine(desiredOf([["plugin/a", 1]]), have)[0]?.verb, "repair");
  assert.equal(planMachine(desiredOf([["plugin/a", 2]]), have)[0]?.verb, "change");
});

test("a plugin whose drift is warn or ignore is not repaired, but changed when something else is wanted", () => {
  const have: Live = { index: [["plugin/a", digestOf("drift")]], drifted: new Map([["plugin/a", leaf(1)]]) };
  const want = (n: number): Desired => ({ index: [["plugin/a", leaf(n)]], sections: [sectionOf("plugin/a", [], "warn")] });
  assert.deepEqual(planMachine(want(1), have), []);
  assert.equal(planMachine(want(2), have)[0]?.verb, "change");
});
