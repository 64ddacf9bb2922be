import { canonBytes, type Digest, fromBase64, toBase64 } from "#base/canonical/index.ts";
import { MooringError } from "#base/errors/index.ts";
import type { Time } from "#base/time/index.ts";
import { type Index, RELEASE_CLASSES, type ReleaseClass } from "#proof/root/index.ts";
import { type Desired, type ReleaseProof, releaseProof, type TrustSection } from "#schemas/wire/index.ts";
import { checkDesired, type CheckedDesired } from "./desired.ts";
import type { ReleaseDoc } from "./documents.ts";
import { formOf } from "./form.ts";
import { checkMerklePath } from "./merkle-path.ts";
import { acceptSecrets } from "./secrets.ts";
import { checkSerial, type Stored, type StoredClass } from "./stored.ts";
import { proverOf, readRelease, releaseName, roleOfClass, type SignedRelease } from "./signed.ts";
import { countRole } from "./signers.ts";
import { parseTrust, type Trust } from "./trust.ts";
import { type TrustStep, walkTrust } from "./walk.ts";

/** Everything a verifier looks at. `now` is its time floor; `stored` what it remembered from the release before, null at first contact, when
 *  `pins` names the trust section it starts from; `desired` the canonical bytes. */
export type AcceptInput = {
  readonly now: Time;
  readonly fleet: string;
  readonly machine: string;
  readonly stored: Stored | null;
  readonly pins: { readonly trust: Digest } | null;
  readonly desired: Uint8Array;
  readonly proof: ReleaseProof;
};

/** `after` MUST be stored durably before anything of `desired` is acted on. */
export type Accepted = { readonly after: Stored; readonly desired: Desired; readonly head: ReleaseDoc; readonly trust: TrustSection };

/** Accepts a desired state only if people signed it (WIRE §3.7, rules (a)-(f)); agent and vault run exactly this. Pure. Throws
 *  RELEASE_MALFORMED, DESIRED_MALFORMED, TRUST_MALFORMED for forms; SERIAL_OLD, SERIAL_JUMP, RELEASE_EXPIRED, TRUST_BROKEN, RELEASE_UNPROVEN,
 *  SINCE_BACKWARD, ROOT_MISMATCH, SECRETS_UNPROVEN for the rules. */
export function acceptRelease(input: AcceptInput): Accepted {
  const { fleet, machine, stored, now } = input;
  const proof = readProof(input.proof, fleet);
  const { head } = proof;
  checkSerial(head, stored, "release");
  if (now >= head.doc.expires)
    throw new MooringError("RELEASE_EXPIRED", `release ${releaseName(head)} ran out at ${head.doc.expires}`, {
      why: `spec.trust.expires: nothing new is applied from it, and it is ${now} here`,
    });
  const checked = checkDesired(input.desired, fleet, machine);
  const trust = acceptTrust(input, proof, checked);
  const release = countRole(trust.section, "release", head, head.doc.serial);
  if (!release.met)
    throw unproven(
      `release ${releaseName(head)}`,
      `role release: ${release.have.length} of ${release.need} signed${release.have.length === 0 ? "" : ` (${release.have.join(", ")})`}`,
    );
  const classes = acceptClasses(input, proof, checked, trust);
  const secrets = acceptSecrets({
    now,
    fleet,
    machine,
    stored: stored?.secrets ?? null,
    index: checked.classes.get("secrets"),
    proof: input.proof.secrets,
    trust,
    serial: head.doc.serial,
  });
  return {
    after: { serial: head.doc.serial, digest: head.digest, trust: { leaf: trust.leaf, section: toBase64(trust.bytes) }, classes, secrets },
    desired: checked.desired,
    head: head.doc,
    trust: trust.section,
  };
}

type ReadProof = {
  readonly head: SignedRelease;
  readonly carried: readonly SignedRelease[];
  readonly steps: readonly TrustStep[];
  readonly paths: ReleaseProof["paths"];
};

function readProof(given: ReleaseProof, fleet: string): ReadProof {
  const form = formOf("RELEASE_MALFORMED", "the release proof");
  const parsed = releaseProof.safeParse(given);
  if (!parsed.success) throw form.fail("a member of another form, or one too many", parsed.error);
  const { head, carried, trustChain, paths } = parsed.data;
  const read = (item: { readonly bytes: string; readonly sigs: readonly string[] }): SignedRelease =>
    readRelease(form.bytes(item.bytes), item.sigs, fleet);
  return {
    head: read(head),
    carried: carried.map(read),
    steps: trustChain.map((step) => ({ release: read(step), trust: parseTrust(form.bytes(step.trust)) })),
    paths,
  };
}

/** (d), and the part of (f) about trust: the section in `desired` is the one head names. */
function acceptTrust(input: AcceptInput, proof: ReadProof, checked: CheckedDesired): Trust {
  const offered = parseTrust(canonBytes(checked.trust));
  if (offered.leaf !== proof.head.doc.trust)
    throw new MooringError(
      "TRUST_BROKEN",
      `the trust section in the desired state is not the one that release ${releaseName(proof.head)} names`,
    );
  const trust = walkTrust(startOf(input), proof.steps, proof.head, offered);
  if (trust.leaf !== proof.head.doc.trust)
    throw new MooringError("TRUST_BROKEN", `the chain of trust releases ends before the trust of release ${releaseName(proof.head)}`);
  return trust;
}

function startOf(input: AcceptInput) {
  if (input.stored !== null) {
    const trust = parseTrust(fromBase64(input.stored.trust.section, "stored trust"));
    if (trust.leaf !== input.stored.trust.leaf) throw new MooringError("TRUST_BROKEN", "the stored trust section is not the stored leaf");
    return { trust, serial: input.stored.serial };
  }
  if (input.pins === null) throw new MooringError("TRUST_BROKEN", "neither a stored nor a pinned trust");
  return { pin: input.pins.trust };
}

/** (e) for the classes identity names, and for those it names no longer. */
function acceptClasses(
  input: AcceptInput,
  proof: ReadProof,
  checked: CheckedDesired,
  trust: Trust,
): Readonly<Partial<Record<ReleaseClass, StoredClass>>> {
  const named = RELEASE_CLASSES.filter((name) => checked.classes.has(name));
  const given = Object.keys(proof.paths);
  if (given.length !== named.length || !named.every((name) => given.includes(name)))
    throw new MooringError("RELEASE_MALFORMED", "the release proof: paths are not exactly those of the machine's classes");
  const after: Partial<Record<ReleaseClass, StoredClass>> = {};
  for (const name of RELEASE_CLASSES) {
    const before = input.stored?.classes[name];
    const isNamed = named.includes(name);
    if (isNamed) checkPath(input, name, checked.classes.get(name)!, proof);
    else if (before === undefined) continue;
    checkEntry(name, before, isNamed, proof, trust);
    const { root, since } = proof.head.doc.classes[name];
    after[name] = isNamed ? { root, since } : { root, since, gone: true };
  }
  return after;
}

function checkPath(input: AcceptInput, name: ReleaseClass, index: Index, proof: ReadProof): void {
  const entry = proof.head.doc.classes[name];
  checkMerklePath(input.fleet, input.machine, name, index, entry, proof.paths[name]!);
}

function checkEntry(name: ReleaseClass, before: StoredClass | undefined, isNamed: boolean, proof: ReadProof, trust: Trust): void {
  const { root, since } = proof.head.doc.classes[name];
  if (before !== undefined && since < before.since)
    throw backward(`class ${name} stands since ${since}, and since ${before.since} was accepted`, proof);
  if (before !== undefined && since === before.since && root !== before.root)
    throw backward(`class ${name} has another root under since ${since} than what was accepted`, proof);
  const leaves = !isNamed && before?.gone !== true; // taken away just now
  const comes = isNamed && before?.gone === true;
  if (before !== undefined && since === before.since && !leaves && !comes) return;
  if (proverOf(name, proof.head, proof.carried, trust, leaves) === null)
    throw unproven(
      `release ${releaseName(proof.head)}: class ${name} since ${since}`,
      `role ${roleOfClass(name)} signed neither the release nor one with the same entry`,
    );
}

function backward(why: string, { head }: ReadProof): MooringError {
  return new MooringError("SINCE_BACKWARD", `release ${releaseName(head)} takes a class back`, { why });
}

function unproven(what: string, why: string): MooringError {
  return new MooringError("RELEASE_UNPROVEN", what, { why });
}
