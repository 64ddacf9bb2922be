import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { canon, digestOf } from "#base/canonical/index.ts";
import type { Grant, MachineId, PluginId, RoleRule, SecretRef, Section, Step, TrustSection } from "#schemas/wire/index.ts";
import { accessEffects, type AccessSide, type Desired, planMachine } from "./index.ts";

const role = (principals: readonly string[], threshold = 1): RoleRule => ({ by: "people", principals, threshold, touch: "optional" });
const TRUST: TrustSection = {
  kind: "trust",
  roles: { root: role(["a", "b"], 2), release: role(["a"]), access: role(["b"]), secrets: role(["a"]) },
  actions: [{ actions: ["revoke"], principals: ["b"], maxSeconds: null }],
  keys: { a: [{ key: "ssh-ed25519 AAAA", touch: "optional", from: 1, until: null }] },
  trustedRoot: null,
  vaultKeys: [],
  runtimeIdentity: null,
  leaseSeconds: 60,
  expiresSeconds: 60,
};

const grant = fc.record({
  subject: fc.constantFrom("mail", "gateway"),
  delivery: fc.constantFrom<Grant["delivery"]>({ mode: "fd" }, { mode: "egress", hosts: ["x.example.net"], header: "authorization" }),
  expires: fc.constantFrom(null, "2027-01-01T00:00:00.000Z"),
  key: fc.constantFrom("k1", "k2"),
  name: fc.constantFrom("g1/a", "g2/b"),
});
const sections = fc
  .record({
    grants: fc.uniqueArray(grant, { maxLength: 2, selector: ({ name }) => name }),
    account: fc.option(fc.record({ exclusive: fc.boolean(), keys: fc.subarray(["k1", "k2", "k3"]) })),
    sshd: fc.option(fc.record({ passwordAuthentication: fc.constantFrom("yes", "no"), permitRootLogin: fc.constantFrom("yes", "no") })),
    plugin: fc.option(
      fc.record({ bundle: fc.constantFrom("b1", "b2"), key: fc.constantFrom("s1", "s2"), network: fc.subarray(["x:443", "y:443"]) }),
    ),
  })
  .map(({ grants, account, sshd, plugin }): readonly Section[] => [
    ...grants.map(
      ({ name, key, subject, ...rest }): Section => ({
        kind: "grant",
        name,
        key: digestOf(key),
        grant: {
          ...rest,
          subject: subject as PluginId,
          ref: `secret://team/${name.slice(-1)}` as SecretRef,
          expires: rest.expires as Grant["expires"],
        },
      }),
    ),
    ...(account === null ? [] : [{ kind: "account", name: "admin", ...account } as const]),
    ...(sshd === null ? [] : [{ kind: "sshd", settings: sshd } as const]),
    ...(plugin === null
      ? []
      : [
          {
            kind: "plugin",
            name: "mail" as PluginId,
            version: "1.0.0",
            serial: 1,
            bundle: digestOf(plugin.bundle),
            signer: { key: plugin.key },
            run: {},
            config: {},
            network: plugin.network,
            drift: "correct",
          } as const,
        ]),
  ]);

const keyOf = (section: Section): string => ("name" in section ? `${section.kind}/${section.name}` : section.kind);
const desiredOf = (list: readonly Section[]): Desired => {
  const sorted = [...list].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  return { sections: sorted, index: sorted.map((section) => [keyOf(section), digestOf(canon(section))]) };
};
const fleet = fc.dictionary(fc.constantFrom("m1", "m2", "m3"), sections).map(
  (machines): AccessSide => ({
    trust: TRUST,
    machines: new Map(Object.entries(machines).map(([name, list]) => [name as MachineId, desiredOf(list)])),
  }),
);

const NOTHING: Desired = { index: [], sections: [] };
function stepsOf(base: AccessSide, head: AccessSide): ReadonlyMap<MachineId, readonly Step[]> {
  const names = [...new Set([...base.machines.keys(), ...head.machines.keys()])].sort();
  return new Map(
    names.map((name) => [
      name,
      planMachine(head.machines.get(name) ?? NOTHING, { index: (base.machines.get(name) ?? NOTHING).index, drifted: new Map() }),
    ]),
  );
}
const effects = (base: AccessSide, head: AccessSide) => accessEffects(base, head, stepsOf(base, head));

test("what a change gives, its reversal takes: the same sentences about the same machines", () => {
  fc.assert(
    fc.property(fleet, fleet, (a, b) => {
      const of = (list: ReturnType<typeof effects>, verb: string): readonly string[] =>
        list
          .filter((item) => item.verb === verb)
          .map(({ who, what, machines }) => `${who} ${what} ${machines.join()}`)
          .sort();
      const [there, back] = [effects(a, b), effects(b, a)];
      const gained = there.filter(({ part }) => part !== "settings");
      const lost = back.filter(({ part }) => part !== "settings");
      assert.deepEqual(of(gained, "gains"), of(lost, "loses"));
      assert.deepEqual(of(gained, "loses"), of(lost, "gains"));
    }),
  );
});

test("no grant changes without a sentence about its machine, and nothing is said where nothing changes", () => {
  fc.assert(
    fc.property(fleet, fleet, (a, b) => {
      const told = effects(a, b);
      for (const [machine, steps] of stepsOf(a, b))
        for (const { key } of steps)
          if (key.startsWith("grant/"))
            assert.ok(
              told.some((item) => item.machines.includes(machine) && item.key === key),
              `${machine} ${key}`,
            );
      assert.deepEqual(effects(a, a), []);
      for (const { machines } of told) assert.deepEqual(machines, [...new Set(machines)].sort());
    }),
  );
});

test("gains come first, losses last", () => {
  const order = ["gains", "changes", "loses"];
  fc.assert(
    fc.property(fleet, fleet, (a, b) => {
      const ranks = effects(a, b).map(({ verb }) => order.indexOf(verb));
      assert.deepEqual(
        ranks,
        ranks.toSorted((x, y) => x - y),
      );
    }),
  );
});

test("who keeps a secret by another grant does not lose it", () => {
  const of = (name: string): Section => ({
    kind: "grant",
    name,
    key: digestOf("k"),
    grant: { subject: "mail" as PluginId, ref: "secret://team/a" as SecretRef, delivery: { mode: "fd" }, expires: null },
  });
  const side = (...names: readonly string[]): AccessSide => ({
    trust: TRUST,
    machines: new Map([["m1" as MachineId, desiredOf(names.map(of))]]),
  });
  const told = effects(side("one/team/a", "two/team/a"), side("two/team/a"));
  assert.deepEqual(
    told.map(({ verb, how }) => `${verb}: ${how}`),
    ["changes: by fd, without end: this grant goes, grant/two/team/a still gives it"],
  );
  assert.deepEqual(
    effects(side(), side("one/team/a", "two/team/a")).map(({ verb, key, machines }) => `${verb} ${key} ${machines.join()}`),
    ["gains grant/one/team/a m1", "gains grant/two/team/a m1"],
  );
});

test("whatever changes in the trust section has a sentence", () => {
  const none: AccessSide = { trust: TRUST, machines: new Map() };
  const changes: readonly Partial<TrustSection>[] = [
    { roles: { ...TRUST.roles, access: role(["b", "c"]) } },
    { roles: { ...TRUST.roles, root: role(["a", "b"], 1) } },
    { roles: { ...TRUST.roles, release: { ...role(["a"]), touch: "required" } } },
    { actions: [] },
    { actions: [{ actions: ["revoke"], principals: ["b"], maxSeconds: 60 }] },
    { keys: { a: [{ key: "ssh-ed25519 BBBB", touch: "optional", from: 1, until: null }] } },
    { keys: { a: [{ key: "ssh-ed25519 AAAA", touch: "optional", from: 1, until: 7 }] } },
    { trustedRoot: digestOf("root") },
    { vaultKeys: [{ key: "ssh-ed25519 CCCC", from: 1, until: null }] },
    { runtimeIdentity: "x" },
    { leaseSeconds: 120 },
    { expiresSeconds: 120 },
    { recipients: ["age1x"] },
    { authors: digestOf("authors") },
  ];
  for (const change of changes) {
    const head: AccessSide = { ...none, trust: { ...TRUST, ...change } };
    const told = accessEffects(none, head, new Map());
    assert.ok(told.length > 0 && told.every(({ key, part }) => key === "trust" && part.startsWith("trust:")), canon(change));
  }
});

test("a principal called as a member that every object has is a principal", () => {
  const side = (trust: TrustSection): AccessSide => ({ machines: new Map(), trust });
  const named = { ...TRUST, keys: { ...TRUST.keys, constructor: TRUST.keys["a"]! } };
  const words = (base: TrustSection, head: TrustSection) =>
    accessEffects(side(base), side(head), new Map()).map(({ verb, who }) => `${who} ${verb}`);
  assert.deepEqual(words(TRUST, named), ["constructor gains"]);
  assert.deepEqual(words(named, TRUST), ["constructor loses"]);
});
