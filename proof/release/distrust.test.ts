/** A signer whose key is stolen, as machines and the vault meet it: both run `acceptRelease`. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { agentSection, FLEET, grantSection, pluginSection, type Roles, secretSection, TestFleet, trustBytes } from "#test/proof/fleet.ts";
import {
  acceptRelease,
  composeRelease,
  isSecretsSigned,
  judgeRelease,
  parseTrust,
  readKnown,
  RELEASE_NAMESPACE,
  type Stored,
} from "./index.ts";

const BEFORE: Roles = {
  root: { principals: ["a", "b"], threshold: 2 },
  release: { principals: ["a"], threshold: 1 },
  access: { principals: ["s", "t"], threshold: 1 },
  secrets: { principals: ["s", "t"], threshold: 1 },
};
const AFTER: Roles = { ...BEFORE, access: { principals: ["t"], threshold: 1 }, secrets: { principals: ["t"], threshold: 1 } };

/** Release 1 of everybody, 2 a grant that only `s` approved, 3 without the key of `s`, with t's word for what `s` had approved. */
function story() {
  const fleet = new TestFleet(BEFORE, ["a", "b", "s", "t"]);
  const pin = fleet.trust.leaf;
  const stands = new Map<number, Stored>();
  const keep = (): void =>
    void stands.set(fleet.head.release.doc.serial, acceptRelease(fleet.inputFor("m1", stands.get(stands.size) ?? null, pin)).after);
  fleet.machines.set("m1", [agentSection(1), pluginSection("mail", 1), grantSection("m1", "smtp", "mail"), secretSection("team/smtp", 1)]);
  fleet.release(["a", "b", "s"]);
  fleet.releaseSecrets(["s"]);
  keep();
  fleet.machines.set("m1", [
    agentSection(1),
    pluginSection("mail", 1),
    grantSection("m1", "smtp", "mail", "2"),
    secretSection("team/smtp", 1),
  ]);
  fleet.release(["a", "s"]);
  keep();
  const old = fleet.trust;
  const left = new Map([...fleet.people].filter(([name]) => name !== "s"));
  fleet.roles = AFTER;
  fleet.trust = parseTrust(trustBytes(left, AFTER));
  return { fleet, pin, stands, old };
}

test("without somebody else's word the release that drops a signer is not complete, and no secrets release of theirs counts", () => {
  const { fleet, pin } = story();
  fleet.release(["a", "b"], { reattest: ["access"] });
  const judged = judgeRelease({ head: fleet.head, releases: fleet.releases, holds: { pin } });
  assert.deepEqual(
    judged.missing.map(({ role, principals }) => `${role}: ${principals.join()}`),
    ["access: t"],
  );
  assert.equal(isSecretsSigned(fleet.secrets!, fleet.trust, 3), false);
});

test("every machine takes it, wherever it stood, and then nothing more of theirs: neither by the trust of before nor by today's", () => {
  const { fleet, pin, stands, old } = story();
  fleet.release(["a", "b", "t"], { reattest: ["access"] });
  fleet.releaseSecrets(["t"]);
  const today = fleet.trust;
  for (const stood of [null, stands.get(1)!, stands.get(2)!]) {
    const { after } = acceptRelease(fleet.inputFor("m1", stood, pin));
    assert.deepEqual([after.serial, after.classes.access?.since], [3, 3]);
    // The thief has an accomplice in the release role.
    for (const trust of [old, today]) {
      const { release } = fleet.releases[2]!;
      const bytes = composeRelease({
        fleet: FLEET,
        prev: release,
        resolver: 1,
        roots: fleet.trees.roots,
        trustLeaf: trust.leaf,
        lifts: [],
        issued: release.doc.issued,
        expires: release.doc.expires,
        reattest: ["access"],
      });
      fleet.trust = trust;
      const sigs = ["a", "s"].map((name) => fleet.people.get(name)!.sign(bytes, RELEASE_NAMESPACE));
      fleet.releases.push(readKnown({ bytes, sigs, trust: trust.bytes }, FLEET));
      assert.throws(() => acceptRelease(fleet.inputFor("m1", after, pin)), { code: trust === old ? "TRUST_BROKEN" : "RELEASE_UNPROVEN" });
      fleet.releases.pop();
      fleet.trust = today;
    }
  }
});

test("an older release is no way back to what they approved", () => {
  const { fleet, pin } = story();
  fleet.release(["a", "b", "t"], { reattest: ["access"] });
  fleet.releaseSecrets(["t"]);
  const { after } = acceptRelease(fleet.inputFor("m1", null, pin));
  const { release } = fleet.releases[1]!;
  const input = fleet.inputFor("m1", after, pin);
  const head = { bytes: Buffer.from(release.bytes).toString("base64"), sigs: release.sigs };
  assert.throws(() => acceptRelease({ ...input, proof: { ...input.proof, head: head as typeof input.proof.head } }), {
    code: "SERIAL_OLD",
  });
});

test("an approval that was taken back is burnt: neither its release nor a later one that carries it is taken", () => {
  const fleet = new TestFleet(BEFORE, ["a", "b", "s", "t"]);
  const pin = fleet.trust.leaf;
  const wide = [agentSection(1), grantSection("m1", "smtp", "mail", "wide")];
  const narrow = [agentSection(1), grantSection("m1", "smtp", "mail")];
  fleet.machines.set("m1", narrow);
  fleet.release(["a", "b", "s"]);
  const { after: first } = acceptRelease(fleet.inputFor("m1", null, pin));
  fleet.machines.set("m1", wide);
  const approved = fleet.release(["s"]); // and never by a
  const trees = fleet.trees;
  fleet.machines.set("m1", narrow);
  fleet.release(["a", "t"], { reattest: ["access"] });
  const { after } = acceptRelease(fleet.inputFor("m1", first, pin));
  assert.equal(after.classes.access?.since, 3);

  fleet.machines.set("m1", wide);
  const { release } = fleet.head;
  const access = { root: trees.roots.access.root, size: trees.roots.access.size, since: approved.release.doc.serial };
  const prev = { doc: { ...release.doc, classes: { ...release.doc.classes, access } }, bytes: release.bytes };
  const { issued, expires } = release.doc;
  const bytes = composeRelease({ fleet: FLEET, prev, resolver: 1, roots: trees.roots, trustLeaf: pin, lifts: [], issued, expires });
  fleet.releases.push(fleet.signed(bytes, ["a"]));
  fleet.trees = trees;
  const { carried } = fleet.proofFor("m1", after, pin);
  assert.equal(carried.length, 1); // it does prove the entry, by itself
  assert.throws(() => acceptRelease(fleet.inputFor("m1", after, pin)), { code: "SINCE_BACKWARD" });
  assert.equal(acceptRelease(fleet.inputFor("m1", first, pin)).after.serial, 4); // who never met the withdrawal can't know
});
