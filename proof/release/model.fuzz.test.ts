import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { hasCode } from "#base/errors/index.ts";
import type { AnySection } from "#proof/root/index.ts";
import { agentSection, grantSection, pluginSection, type Roles, secretSection, TestFleet } from "#test/proof/fleet.ts";
import { acceptRelease, judgeRelease, readKnown, type Stored } from "./index.ts";

const ROLES: Roles = {
  root: { principals: ["b", "r"], threshold: 2 },
  release: { principals: ["a"], threshold: 1 },
  access: { principals: ["s"], threshold: 1 },
  secrets: { principals: ["a", "s"], threshold: 1 },
};
const MACHINES = ["m1", "m2", "m3", "m4"];

type Change = {
  readonly what: "plugin" | "grant" | "ungrant" | "secret" | "add" | "remove" | "trust" | "nothing";
  readonly at: number;
  readonly online: number;
};

const change: fc.Arbitrary<Change> = fc.record({
  what: fc.constantFrom("plugin", "grant", "ungrant", "secret", "add", "remove", "trust", "nothing"),
  at: fc.nat({ max: MACHINES.length - 1 }),
  online: fc.nat({ max: 15 }),
});

/** The fleet, and what each machine remembers; whoever is offline simply hears of the next release instead. */
class Model {
  readonly fleet = new TestFleet(ROLES, ["a", "b", "r", "s", "t"]);
  readonly pin = this.fleet.trust.leaf;
  readonly stored = new Map<string, Stored>();
  access = "s";
  n = 1;

  constructor() {
    for (const machine of MACHINES.slice(0, 3)) this.fleet.machines.set(machine, base(machine));
    this.fleet.release(["a", "b", "r", "s"]);
    this.fleet.releaseSecrets(["a"]);
  }

  /** Applies a change; the people who have to sign do. */
  step(c: Change): readonly string[] {
    const { fleet } = this;
    const machine = MACHINES[c.at]!;
    const own = fleet.machines.get(machine);
    this.n++;
    const edit = (drop: (section: AnySection) => boolean, ...more: AnySection[]): void => {
      if (own !== undefined) fleet.machines.set(machine, [...own.filter((section) => !drop(section)), ...more]);
    };
    if (c.what === "plugin") edit((s) => s.kind === "plugin", pluginSection("mail", this.n));
    if (c.what === "grant") edit((s) => s.kind === "grant", grantSection(machine, "smtp", "mail", String(this.n)));
    if (c.what === "ungrant") edit((s) => s.kind === "grant");
    if (c.what === "secret") edit((s) => s.kind === "secret", secretSection("team/smtp", this.n));
    if (c.what === "add" && own === undefined) fleet.machines.set(machine, base(machine));
    if (c.what === "remove" && fleet.machines.size > 1) {
      fleet.machines.delete(machine);
      this.stored.delete(machine);
    }
    return this.release(c.what === "trust");
  }

  release(changesTrust: boolean): readonly string[] {
    const { fleet } = this;
    if (changesTrust) {
      this.access = this.access === "s" ? "t" : "s";
      fleet.setTrust({ ...fleet.roles, access: { principals: [this.access], threshold: 1 } }, { leaseSeconds: 3600 + this.n });
    }
    const signers = ["a", this.access, ...(changesTrust ? ["b", "r"] : [])];
    fleet.release(signers, changesTrust ? { reattest: ["access"] } : {});
    fleet.releaseSecrets(["a"]);
    return signers;
  }

  sync(machine: string): Stored {
    const input = this.fleet.inputFor(machine, this.stored.get(machine) ?? null, this.pin);
    const { after } = acceptRelease(input);
    this.stored.set(machine, after);
    return after;
  }
}

function base(machine: string): AnySection[] {
  return [agentSection(1), pluginSection("mail", 1), grantSection(machine, "smtp", "mail"), secretSection("team/smtp", 1)];
}

test("what the right people signed is accepted by every machine, however many releases it slept through", () => {
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 7 }), (changes) => {
      const model = new Model();
      for (const c of changes) {
        model.step(c);
        assert.ok(judgeRelease({ head: model.fleet.head, releases: model.fleet.releases, holds: { pin: model.pin } }).complete);
        for (const [i, machine] of [...model.fleet.machines.keys()].entries()) if ((c.online >> i) % 2 === 1) model.sync(machine);
      }
      for (const machine of model.fleet.machines.keys()) {
        assert.equal(model.sync(machine).digest, model.fleet.head.release.digest);
        model.sync(machine); // sent again: still accepted
      }
    }),
    { numRuns: 25 },
  );
});

test("without any one of the signatures a change needs, judge and machine both say no", () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 4 }), change, fc.boolean(), (changes, last, isFresh) => {
      const model = new Model();
      for (const c of changes) model.step(c);
      const machine = [...model.fleet.machines.keys()][0]!;
      if (!isFresh) model.sync(machine);
      const before = model.fleet.head.release.doc;
      const signers = model.step(last);
      if (!model.fleet.machines.has(machine)) return;
      const head = model.fleet.head;
      const isAccessNew = head.release.doc.classes.access.since !== before.classes.access.since;
      const stored = model.stored.get(machine) ?? null;
      const usesAccess = model.fleet.trees.path("access", machine) !== null || stored?.classes.access !== undefined;
      for (const [i, signer] of signers.entries()) {
        const sigs = head.release.sigs.filter((_, at) => at !== i);
        const lesser = readKnown({ bytes: head.release.bytes, sigs, trust: model.fleet.trust.bytes }, "acme");
        model.fleet.releases.splice(-1, 1, lesser);
        const isNeeded = signer !== model.access || isAccessNew;
        const judged = judgeRelease({ head: lesser, releases: model.fleet.releases, holds: { pin: model.pin } });
        assert.equal(judged.complete, !isNeeded, signer);
        if (isNeeded) assert.ok(judged.missing.length > 0 && judged.missing.every((m) => m.need > m.have.length));
        const isAccepted = accepts(() => acceptRelease(model.fleet.inputFor(machine, stored, model.pin)));
        if (!isNeeded) assert.ok(isAccepted);
        if (isNeeded && (signer !== model.access || usesAccess)) assert.ok(!isAccepted, `${signer} left out`);
      }
    }),
    { numRuns: 40 },
  );
});

function accepts(work: () => unknown): boolean {
  try {
    work();
    return true;
  } catch (err) {
    if (hasCode(err, "RELEASE_UNPROVEN") || hasCode(err, "TRUST_BROKEN")) return false;
    throw err;
  }
}
