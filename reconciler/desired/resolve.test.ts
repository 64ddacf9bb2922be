import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { canon, digestOf, readCanonical } from "#base/canonical/index.ts";
import { checkDesired, parseTrust } from "#proof/release/index.ts";
import { indexOf } from "#proof/root/index.ts";
import type { MachineId, Section, SectionKey } from "#schemas/wire/index.ts";
import { fullTree } from "#test/support/full-tree.ts";
import { edited, goldenTree, type Tree } from "#test/support/fleet-tree.ts";
import { demandFleet, desiredOf, filesOf, gate, loadFleet, type Resolved, resolve, rootsOf } from "./index.ts";

const ONE = "mini-01" as MachineId;
const TWO = "mini-02" as MachineId;
const THREE = "mini-03" as MachineId;

async function resolved(tree: Tree): Promise<Resolved> {
  return resolve(demandFleet(await loadFleet(filesOf(tree))));
}

function section(outcome: Resolved, machine: MachineId, key: string): Section | undefined {
  const { index, sections } = outcome.machines.get(machine)!;
  return sections[index.findIndex(([own]) => own === key)];
}

const keys = (outcome: Resolved, machine: MachineId): readonly string[] => outcome.machines.get(machine)!.index.map(([key]) => key);

test("a machine's sections are those of the wire, sorted, with every class named by identity", async () => {
  const outcome = await resolved(goldenTree());
  assert.deepEqual(keys(outcome, ONE), ["grant/greeter/team/greeting", "identity", "plugin/greeter", "secret/team/greeting", "trust"]);
  const identity = section(outcome, ONE, "identity");
  assert.deepEqual(identity?.kind === "identity" && identity.classes, ["access", "machines", "plugins", "secrets"]);
  assert.deepEqual(indexOf(outcome.machines.get(ONE)!.sections), outcome.machines.get(ONE)!.index);
});

test("what is resolved is what proof/release accepts as a machine's document and as trust", async () => {
  for (const tree of [goldenTree(), fullTree()]) {
    const outcome = await resolved(tree);
    for (const machine of outcome.machines.keys()) {
      const { bytes, desired } = desiredOf(outcome, machine);
      assert.deepEqual(readCanonical(bytes), desired);
      checkDesired(bytes, outcome.fleet, machine); // grant keys, classes, names, order
    }
    assert.equal(parseTrust(new TextEncoder().encode(canon(outcome.trust))).leaf, outcome.trustLeaf);
  }
});

test("a grant names the machine's key, and reaches only machines that run its plugin", async () => {
  const outcome = await resolved(edited(goldenTree(), "machines/mini-02.yaml", "role: greeter", "role: none"));
  const grant = section(outcome, ONE, "grant/greeter/team/greeting");
  const identity = section(outcome, ONE, "identity");
  assert.ok(grant?.kind === "grant" && identity?.kind === "identity");
  assert.equal(grant.key, digestOf(identity.kx));
  assert.deepEqual(keys(outcome, TWO), ["identity", "trust"]);
  const wide = edited(goldenTree(), "grants/greeter.yaml", "machines: { labels: { role: greeter } }", "machines: all");
  const narrow = await resolved(edited(wide, "machines/mini-02.yaml", "role: greeter", "role: none"));
  assert.deepEqual(keys(narrow, TWO), ["identity", "trust"]);
});

test("every kind of section comes out of a fleet that uses every field", async () => {
  const outcome = await resolved(fullTree());
  const all = [
    "account/admin",
    "agent",
    "grant/gateway/team/greeting",
    "grant/greeter/team/greeting",
    "grant/greeter/team/token",
    "identity",
    "openclaw",
    "plugin/base",
    "plugin/greeter",
    "posture",
    "secret/team/greeting",
    "secret/team/token",
    "sshd",
    "trust",
  ];
  assert.deepEqual(keys(outcome, ONE), all);
  assert.deepEqual(section(outcome, ONE, "sshd"), { kind: "sshd", settings: { passwordAuthentication: "no", requireSecurityKeys: "yes" } });
  assert.deepEqual(section(outcome, ONE, "posture"), {
    kind: "posture",
    checks: { fileVault: "required" },
    power: { sleep: "never" },
    onViolation: "withhold-secrets",
  });
  const greeter = section(outcome, ONE, "plugin/greeter");
  assert.ok(greeter?.kind === "plugin");
  assert.deepEqual(greeter.run, {
    mode: "gateway",
    restart: "on-failure",
    dependsOn: ["base"],
    health: { http: "unix:health.sock", timeoutSeconds: 10 },
    limits: { memoryBytes: 536_870_912, cpuPercent: null, processes: null },
    state: { keep: true, maxBytes: 1_073_741_824 },
    session: "gui",
    assets: [{ name: "model", url: "https://models.example.net/m.bin", digest: `sha256:${"ab".repeat(32)}`, size: 4_294_967_296 }],
  });
  assert.ok(JSON.stringify(greeter.signer).startsWith('{"keyless":{"issuer"'));
  const token = section(outcome, ONE, "grant/greeter/team/token");
  assert.deepEqual(token?.kind === "grant" && token.grant.delivery, {
    mode: "egress",
    hosts: ["api.example.net", "b.example.net"],
    header: "authorization",
  });
  assert.deepEqual(outcome.hubSettings.rotations.length + outcome.hubSettings.policies.length, 2);
});

test("an override changes what its machines get: version, digest, config, serial of its own lock", async () => {
  const outcome = await resolved(fullTree());
  const [usual, canary] = [section(outcome, ONE, "plugin/greeter"), section(outcome, THREE, "plugin/greeter")];
  assert.ok(usual?.kind === "plugin" && canary?.kind === "plugin");
  assert.deepEqual([usual.version, usual.serial, usual.config], ["1.0.0", 1, { inbox: "support" }]);
  assert.deepEqual([canary.version, canary.serial, canary.config], ["1.1.0", 2, { inbox: "support", tone: "warm" }]);
  assert.equal(outcome.hubSettings.bundles.get(canary.bundle)?.source.url, "https://bundles.example.net/greeter-1.1.0.tgz");
});

test("machines share leaves: an equal section is the same object", async () => {
  const outcome = await resolved(goldenTree());
  assert.equal(section(outcome, ONE, "plugin/greeter"), section(outcome, TWO, "plugin/greeter"));
  assert.equal(section(outcome, ONE, "trust"), section(outcome, THREE, "trust"));
});

test("comments, order of files, keys and lists move no root", async () => {
  const tree = fullTree();
  const want = rootsOf(await resolved(tree));
  const same: Tree = edited(
    edited(
      edited(tree, "fleet.yaml", "principals: [a@acme.dev, b@acme.dev]", "principals: [b@acme.dev, a@acme.dev]"),
      "grants/greeter.yaml",
      "hosts: [b.example.net, api.example.net]",
      "hosts: [api.example.net, b.example.net]",
    ),
    "machines/mini-01.yaml",
    "kind: Machine",
    "# the first\nkind: Machine",
  );
  const got = rootsOf(await resolved(same));
  assert.deepEqual([got.trust, got.classes, got.secrets], [want.trust, want.classes, want.secrets]);
  await fc.assert(
    fc.asyncProperty(fc.shuffledSubarray(Object.keys(tree), { minLength: Object.keys(tree).length }), async (order) => {
      const shuffled = Object.fromEntries(order.map((path) => [path, tree[path]!]));
      assert.deepEqual(rootsOf(await resolved(shuffled)).classes, want.classes);
    }),
    { numRuns: 15 },
  );
});

test("each change moves the roots of its own classes only", async () => {
  const base = rootsOf(await resolved(goldenTree()));
  const moved = async (tree: Tree): Promise<readonly string[]> => {
    const next = rootsOf(await resolved(tree));
    const classes = (["machines", "baseline", "access", "plugins"] as const).filter(
      (name) => next.classes[name].root !== base.classes[name].root,
    );
    return [...classes, ...(next.secrets.root === base.secrets.root ? [] : ["secrets"]), ...(next.trust === base.trust ? [] : ["trust"])];
  };
  const tree = goldenTree();
  assert.deepEqual(await moved({ ...tree, "README.md": "a typo less\n" }), []);
  assert.deepEqual(await moved(edited(tree, "machines/mini-01.yaml", "mini-01.example.net", "192.0.2.7")), []);
  assert.deepEqual(await moved(edited(tree, "plugins/greeter.yaml", "  machines:", "  drift: warn\n  machines:")), ["plugins"]);
  assert.deepEqual(await moved(edited(tree, "grants/greeter.yaml", "2028-01-01", "2029-01-01")), ["access"]);
  assert.deepEqual(await moved(edited(tree, "fleet.yaml", "lease: 48h", "lease: 24h")), ["trust"]);
  const kx = "age1tag1qwe0kafsjrar4txm6heqnhpfuggzr0gvznz7fvygxrlq90u5mq2pysxtw6h";
  assert.deepEqual(await moved(edited(tree, "machines/mini-01.yaml", /kx: \S+/, `kx: ${kx}`)), ["machines", "access"]);
});

test("each section knows the lines that ask for it", async () => {
  const outcome = await resolved(fullTree());
  for (const machine of outcome.machines.keys()) {
    for (const key of keys(outcome, machine)) {
      const lines = outcome.sources(machine, key as SectionKey);
      assert.ok(lines.length > 0 && lines.every(({ line, file }) => line >= 1 && file !== ""), key);
    }
  }
  const grant = (await resolved(goldenTree())).sources(THREE, "grant/greeter/team/greeting" as SectionKey);
  assert.deepEqual(
    grant.map(({ file, line }) => `${file}:${line}`),
    ["grants/greeter.yaml:9", "grants/greeter.yaml:7", "machines/mini-03.yaml:5", "machines/mini-03.yaml:13"],
  );
});

test("the hub's own settings are in no root", async () => {
  const { hubSettings } = await resolved(goldenTree());
  assert.deepEqual(hubSettings.links.get(ONE)?.addresses, ["mini-01.example.net"]);
  assert.equal(hubSettings.intervalSeconds, 600);
  assert.deepEqual([...hubSettings.ageFiles.values()], ["secrets/team/greeting.v1.age"]);
});

test("the gate names nothing in a fleet that this version runs, and every field it does not do elsewhere", async () => {
  assert.deepEqual(gate(demandFleet(await loadFleet(filesOf(goldenTree())))), []);
  const findings = gate(demandFleet(await loadFleet(filesOf(fullTree()))));
  assert.ok(findings.every((item) => item.code === "NOT_YET" && item.level === "error" && item.line > 1));
  const fields = new Set(findings.map((item) => item.message.split(":")[0]));
  const want = [
    "runtime",
    "sshd",
    "accounts",
    "posture",
    "power",
    "openclaw",
    "onViolation",
    "verify.keyless",
    "run.mode",
    "run.health",
    "run.limits",
    "run.state",
    "run.session",
    "network.allow",
  ];
  want.push(
    "assets",
    "rollout.canary",
    "rollout.soak",
    "kind RotationPolicy",
    "gateway",
    "secrets.0.delivery",
    "secrets.1.delivery",
    "freeze",
    "notifications",
    "prune.mode report",
    "retention.events",
  );
  want.push("connect.via", "enclave.driver", "availability");
  assert.deepEqual(
    want.filter((name) => !fields.has(name)),
    [],
  );
});

test("a field written out at its default is never NOT_YET", async () => {
  const run =
    "  run: { mode: lobster, restart: always, session: none }\n  network: { allow: [] }\n  rollout: { canary: 1, maxUnavailable: 10%, partitions: [], soak: 10m, onFailure: rollback }\n  assets: []\n  machines:";
  const spec =
    "  prune: { mode: confirm, maxDeletePercent: 20 }\n  freeze: []\n  notifications: []\n  retention: { events: 90d, pluginLogs: 7d/500Mi, audit: 400d }\n  interval:";
  const tree = edited(edited(goldenTree(), "plugins/greeter.yaml", "  machines:", run), "fleet.yaml", "  interval:", spec);
  assert.deepEqual(gate(demandFleet(await loadFleet(filesOf(tree)))), []);
});
