import assert from "node:assert/strict";
import { test } from "node:test";
import { digestOf, toBase64 } from "#base/canonical/index.ts";
import { timeOf } from "#base/time/index.ts";
import { composeRelease, parseRelease, readKnown, RELEASE_NAMESPACE, type KnownRelease } from "#proof/release/index.ts";
import { fileSigner } from "#test/proof/signer.ts";
import { edited, goldenTree, type Tree } from "#test/support/fleet-tree.ts";
import { filesOf, newLoadCache } from "../desired/index.ts";
import { type Branch, type Cover, cover, outcomeOf, type ReadOutcome, trustOf } from "../revision/index.ts";
import { type HubCase, hubDocuments } from "./documents.ts";

const hub = fileSigner();
const people = new Map(
  ["a@acme.dev", "b@acme.dev", "security@acme.dev", "recovery@acme.dev", "ops@acme.dev"].map((name) => [name, fileSigner()]),
);
const NOW = timeOf(Date.UTC(2026, 10, 25));
const LIFE = 90 * 86_400_000;

/** The golden fleet whose releases its hub signs; `eve` may commit where she is named. */
function tree(change: (tree: Tree) => Tree = (same) => same, eve = ""): Tree {
  const lines = [...people].map(([name, { key }]) => `${name} ${key}`);
  const signers = `${lines.join("\n")}\nvault namespaces="mooring-secrets" ${fixed.key}\nhub namespaces="mooring-release,mooring-secrets" ${hub.key}\n${eve}`;
  const base = edited(goldenTree(), "fleet.yaml", "release: { principals: [a@acme.dev, b@acme.dev] }", "release: { by: hub }");
  const ruled = edited(base, "fleet.yaml", "    lease: 48h", "    commits: { require: every }\n    lease: 48h");
  return change({ ...ruled, "trust/allowed_signers": signers });
}
const fixed = fileSigner();

async function read(files: Tree): Promise<ReadOutcome> {
  const outcome = await outcomeOf("0".repeat(40), new Map(), filesOf(files), newLoadCache(), "0.1.0");
  assert.ok(outcome.at === "read", JSON.stringify(outcome.at === "refused" ? outcome.findings : []));
  return outcome;
}

type Draft = {
  readonly by: readonly string[];
  readonly prev?: KnownRelease;
  readonly lifts?: readonly string[];
  readonly serial?: number;
  readonly days?: number;
  readonly resolver?: number;
};

function releaseOf(outcome: ReadOutcome, { by, prev, lifts = [], serial, days = 90, resolver = 1 }: Draft, issued = NOW): KnownRelease {
  const before =
    prev === undefined
      ? null
      : { doc: { ...prev.release.doc, serial: (serial ?? prev.release.doc.serial + 1) - 1 }, bytes: prev.release.bytes };
  const bytes = composeRelease({
    fleet: "acme",
    prev: before,
    resolver,
    roots: outcome.roots.classes,
    trustLeaf: outcome.resolved.trustLeaf,
    lifts: lifts.map((text) => digestOf(text)),
    issued,
    expires: timeOf(Date.parse(issued) + days * 86_400_000),
  });
  const sigs = by.map((name) => (name === "hub" ? hub : people.get(name))?.sign(bytes, RELEASE_NAMESPACE) ?? "");
  return readKnown({ bytes, sigs, trust: trustOf(outcome.resolved).bytes }, "acme");
}

const ROOT = ["a@acme.dev", "b@acme.dev"];
const first = await read(tree());
const inForce = releaseOf(first, { by: [...ROOT, "security@acme.dev", "hub"] });
const bumped = await read(
  tree((files) => edited(files, "plugins/greeter.yaml", "  machines:", "  config: { greeting: other }\n  machines:")),
);

/** What the hub would sign at `outcome`, with these releases on the branch. Secrets are people's here. */
function documents(outcome: ReadOutcome, releases: readonly KnownRelease[], more: Partial<HubCase> = {}) {
  const branch: Branch = {
    releases: [...releases].sort((a, b) => b.release.doc.serial - a.release.doc.serial),
    secrets: [],
    statements: [],
  };
  const pin = first.resolved.trustLeaf;
  const now = more.now ?? NOW;
  const roots = { ...outcome.roots, secrets: { ...outcome.roots.secrets, size: 0 } };
  const judged: Cover = cover({
    resolved: outcome.resolved,
    roots,
    branch,
    holds: { pin },
    now,
    minSerial: more.inForce === null ? 0 : 1,
    minSecrets: 0,
  });
  return hubDocuments({
    outcome,
    cover: judged,
    inForce: { head: inForce, resolved: first.resolved, roots: first.roots },
    branch,
    pin,
    now,
    authors: outcome.resolved.trustLeaf,
    key: hub.key,
    ...more,
  });
}

test("what authors put on main is signed for, once, as the release that follows the one in force", () => {
  const [only, ...rest] = documents(bumped, [inForce]);
  assert.equal(rest.length, 0);
  const doc = parseRelease(only?.bytes ?? new Uint8Array(), "acme");
  assert.deepEqual([doc.serial, doc.classes.plugins.since, doc.classes.access.since], [2, 2, 1]);
  assert.equal(documents(first, [inForce]).length, 0, "covered already");
  const signed = releaseOf(bumped, { by: ["hub"], prev: inForce });
  assert.equal(documents(bumped, [inForce, signed]).length, 0);
});

test("without a judgement of its authors under this very trust, nothing is signed", () => {
  assert.equal(documents(bumped, [inForce], { authors: null }).length, 0, "first contact, or a signer who is gone");
  assert.equal(documents(bumped, [inForce], { authors: digestOf("the trust before the hub had the role") }).length, 0);
  assert.equal(documents(bumped, [inForce], { inForce: null }).length, 0, "nothing is in force");
  assert.equal(documents(bumped, [inForce], { key: fileSigner().key }).length, 0, "another hub");
});

test("a change of trust, of authors among them, is not signed for before root has signed that release", async () => {
  const eve = await read(tree((same) => same, `eve@acme.dev namespaces="git" ${fileSigner().key}\n`));
  assert.notEqual(eve.resolved.trustLeaf, first.resolved.trustLeaf);
  assert.equal(documents(eve, [inForce]).length, 0);
  const half = releaseOf(eve, { by: ["a@acme.dev"], prev: inForce });
  assert.equal(documents(eve, [inForce, half]).length, 0);
  const byRoot = releaseOf(eve, { by: ROOT, prev: inForce });
  const [joined] = documents(eve, [inForce, byRoot]);
  assert.equal(toBase64(joined?.bytes ?? new Uint8Array()), toBase64(byRoot.release.bytes));
  const other = await read(
    tree(
      (files) => edited(files, "plugins/greeter.yaml", "  machines:", "  config: { greeting: evil }\n  machines:"),
      `eve@acme.dev namespaces="git" ${fileSigner().key}\n`,
    ),
  );
  assert.equal(documents(other, [inForce, byRoot]).length, 0, "root signed another outcome under it");
});

test("the first release is joined once root has signed it, and no other", () => {
  const draft = releaseOf(first, { by: ROOT });
  const nothing = { inForce: null, authors: null };
  assert.equal(documents(first, [releaseOf(first, { by: [] })], nothing).length, 0);
  assert.equal(documents(bumped, [draft], nothing).length, 0);
  assert.deepEqual(
    documents(first, [draft], nothing).map(({ bytes }) => toBase64(bytes)),
    [toBase64(draft.release.bytes)],
  );
});

test("a release that somebody else put there is joined only when it is what the hub would have made", () => {
  const bytesOf = (...releases: readonly KnownRelease[]): string =>
    toBase64(documents(bumped, [inForce, ...releases])[0]?.bytes ?? new Uint8Array());
  const equal = releaseOf(bumped, { by: [], prev: inForce }, timeOf(Date.parse(NOW) - 60_000));
  assert.equal(bytesOf(equal), toBase64(equal.release.bytes));
  const hostile = [
    releaseOf(bumped, { by: [], prev: inForce, serial: 2 ** 40 }),
    releaseOf(bumped, { by: [], prev: inForce, days: 9_000 }),
    releaseOf(bumped, { by: [], prev: inForce, lifts: ["a revocation"] }),
    releaseOf(bumped, { by: [], prev: inForce }, timeOf(Date.parse(NOW) + LIFE)),
    releaseOf(bumped, { by: [], prev: inForce }, timeOf(Date.parse(NOW) - LIFE + 60_000)), // runs out in a minute
  ];
  for (const item of hostile) assert.notEqual(bytesOf(item), toBase64(item.release.bytes));
  const lifting = releaseOf(bumped, { by: ["security@acme.dev"], prev: inForce, lifts: ["a revocation"] });
  assert.equal(bytesOf(lifting), toBase64(lifting.release.bytes), "the access role ends a revocation");
});

test("a release is made anew in the last quarter of its life, and after it", () => {
  const at = (days: number) => documents(first, [inForce], { now: timeOf(Date.parse(NOW) + days * 86_400_000) }).length;
  assert.deepEqual([at(1), at(66), at(68), at(91)], [0, 0, 1, 1]);
});

// Once the hub composed form 1 over what people had moved to form 2.
test("over a release in a form that this version does not resolve nothing is signed, and the refusal names it", () => {
  const moved = releaseOf(first, { by: ["a@acme.dev", "hub"], prev: inForce, resolver: 2 });
  const name = `2-${moved.release.digest.slice(7, 15)}`;
  const where = { head: moved, resolved: first.resolved, roots: first.roots };
  const refused = { code: "RESOLVER_UNKNOWN", message: new RegExp(`release ${name} .*form 2`), have: 2 };
  assert.throws(() => documents(bumped, [inForce, moved], { inForce: where }), refused);
  assert.throws(() => documents(bumped, [inForce, moved]), refused, "released, and main is not there yet");
  const unsigned = releaseOf(first, { by: ["security@acme.dev"], prev: inForce, resolver: 2 });
  assert.equal(documents(bumped, [inForce, unsigned]).length, 1, "anybody may push one that nobody released");
  assert.equal(documents(first, [inForce, moved], { inForce: where }).length, 0, "nothing to sign, nothing to refuse");
});
