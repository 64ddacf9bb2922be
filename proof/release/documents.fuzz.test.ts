/** Whatever lies on the releases branch: documents, signatures and trust sections with anything changed in them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { canon, type Json } from "#base/canonical/index.ts";
import { hasCode } from "#base/errors/index.ts";
import { agentSection, FLEET, grantSection, NOW, pluginSection, type Roles, secretSection, TestFleet } from "#test/proof/fleet.ts";
import {
  judgeRelease,
  parseRelease,
  parseSecretsRelease,
  readBranch,
  readKnown,
  RELEASE_NAMESPACE,
  type ReleaseItem,
  signersOf,
} from "./index.ts";

const ROLES: Roles = {
  root: { principals: ["a", "b"], threshold: 2 },
  release: { principals: ["a"], threshold: 1 },
  access: { principals: ["s"], threshold: 1 },
  secrets: { principals: ["a"], threshold: 1 },
};
const fleet = new TestFleet(ROLES, ["a", "b", "s"]);
fleet.machines.set("m1", [agentSection(1), pluginSection("mail", 1), grantSection("m1", "smtp", "mail"), secretSection("team/smtp", 1)]);
const good = fleet.release(["a", "b", "s"]);
fleet.releaseSecrets(["a"]);
const item: ReleaseItem = { bytes: good.release.bytes, sigs: good.release.sigs, trust: fleet.trust.bytes };
const secrets = fleet.secrets!.bytes;

const json: fc.Arbitrary<Json> = fc.oneof(
  fc.constantFrom(null, true, 0, 1, -1, 2 ** 53 - 1, "", "mooring/release/v1", FLEET, NOW, `sha256:${"0".repeat(64)}`),
  fc.integer(),
  fc.string({ maxLength: 8 }),
  fc.array(fc.constantFrom<Json>("a", 1, null), { maxLength: 3 }),
);

/** Bytes with some of them flipped, left out or put in. */
const spoilt = (bytes: Uint8Array): fc.Arbitrary<Uint8Array> =>
  fc.tuple(fc.nat({ max: bytes.length }), fc.nat({ max: 4 }), fc.uint8Array({ maxLength: 4 })).map(([at, gone, more]) => {
    const text = Buffer.from(bytes);
    return Buffer.concat([text.subarray(0, at), more, text.subarray(at + gone)]);
  });

/** A document with one member, however deep, set to something else, left out or added; canonical again. */
const edited = (bytes: Uint8Array): fc.Arbitrary<Uint8Array> =>
  fc.tuple(fc.nat(), fc.option(json), fc.constantFrom("keep", "root", "x", "__proto__", "since")).map(([pick, value, name]) => {
    const doc = JSON.parse(Buffer.from(bytes).toString("utf8")) as Record<string, Json>;
    const places: [Record<string, Json>, string][] = [];
    const walk = (at: Record<string, Json>): void => {
      for (const key of Object.keys(at)) {
        places.push([at, key]);
        const inner = at[key];
        if (typeof inner === "object" && inner !== null && !Array.isArray(inner)) walk(inner as Record<string, Json>);
      }
    };
    walk(doc);
    const [owner, key] = places[pick % places.length]!;
    const member = name === "keep" || name === "__proto__" ? key : name;
    if (value === null) delete owner[member];
    else owner[member] = value;
    return Buffer.from(canon(doc));
  });

test("a document is refused, or it is one that says what its canonical bytes say", () => {
  fc.assert(
    fc.property(fc.oneof(spoilt(item.bytes), edited(item.bytes), fc.uint8Array({ maxLength: 64 })), (bytes) => {
      const doc = only("RELEASE_MALFORMED", () => parseRelease(bytes, FLEET));
      if (doc !== null) assert.equal(canon(doc as unknown as Json), Buffer.from(bytes).toString("utf8"));
    }),
    { numRuns: 800 },
  );
  fc.assert(
    fc.property(fc.oneof(spoilt(secrets), edited(secrets)), (bytes) => {
      const doc = only("RELEASE_MALFORMED", () => parseSecretsRelease(bytes, FLEET));
      if (doc !== null) assert.equal(canon(doc as unknown as Json), Buffer.from(bytes).toString("utf8"));
    }),
    { numRuns: 400 },
  );
});

test("a signature with anything changed in it counts for nobody else, and no signature counts for other bytes", () => {
  const armored = Buffer.from(item.sigs[0]!);
  const owner = signersOf(item.bytes, [item.sigs[0]!], RELEASE_NAMESPACE)[0]!.key;
  fc.assert(
    fc.property(fc.oneof(spoilt(armored), fc.uint8Array({ maxLength: 200 })), spoilt(item.bytes), (sig, bytes) => {
      const text = Buffer.from(sig).toString("utf8");
      assert.ok(signersOf(item.bytes, [text], RELEASE_NAMESPACE).every(({ key }) => key === owner));
      if (!Buffer.from(bytes).equals(item.bytes)) assert.deepEqual(signersOf(bytes, item.sigs, RELEASE_NAMESPACE), []);
    }),
    { numRuns: 400 },
  );
});

test("among whatever else is on the branch the good release stays complete, and nothing that was changed is", () => {
  const rubbish = fc.record({
    bytes: fc.oneof(spoilt(item.bytes), edited(item.bytes)),
    sigs: fc.subarray([...item.sigs, "", "{}", "-----BEGIN SSH SIGNATURE-----\n"]),
    trust: fc.oneof(fc.constant(fleet.trust.bytes), spoilt(fleet.trust.bytes), edited(fleet.trust.bytes)),
  });
  fc.assert(
    fc.property(fc.array(rubbish, { maxLength: 4 }), (items) => {
      const known = readBranch([...items, item], FLEET);
      const holds = { pin: fleet.trust.leaf };
      for (const head of known) {
        const { complete } = judgeRelease({ head, releases: known, holds });
        assert.equal(complete, isWhole(head), head.release.digest);
      }
      assert.ok(known.some(({ release }) => release.digest === good.release.digest));
      assert.ok(judgeRelease({ head: readKnown(item, FLEET), releases: known, holds }).complete);
    }),
    { numRuns: 200 },
  );
});

/** Complete is only what has the very bytes that people signed, with all signatures it came with. */
function isWhole(head: ReturnType<typeof readKnown>): boolean {
  return head.release.digest === good.release.digest && item.sigs.every((sig) => head.release.sigs.includes(sig));
}

function only<T>(code: "RELEASE_MALFORMED", work: () => T): T | null {
  try {
    return work();
  } catch (err) {
    if (hasCode(err, code)) return null;
    throw err;
  }
}
