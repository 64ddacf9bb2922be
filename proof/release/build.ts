import { toBase64 } from "#base/canonical/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { type FleetTrees, RELEASE_CLASSES, type SectionClass } from "#proof/root/index.ts";
import type { Bytes64, ReleaseProof } from "#schemas/wire/index.ts";
import { factsOf, findTrustChain, type Holds, type KnownRelease, sectionOf } from "./known.ts";
import { proverOf, type Signed, type SignedRelease, type SignedSecrets } from "./signed.ts";
import type { Trust } from "./trust.ts";

/** What a proof for one machine is made from. `trees` are those of the whole fleet at `head`; `holds` is what this machine accepted last or is
 *  pinned to; `sections` are trust sections known from elsewhere (the pinned one). */
export type BuildInput = {
  readonly machine: string;
  readonly head: KnownRelease;
  readonly releases: readonly KnownRelease[];
  readonly trees: FleetTrees;
  readonly holds: Holds;
  readonly secrets: SignedSecrets | null;
  readonly sections?: readonly Trust[];
};

/** The proof one machine needs for its desired state under `head`: paths, earlier releases that carry approvals, trust steps. It proves what can
 *  be proven and does not judge: see `judgeRelease`. Throws ROOT_MISMATCH when `trees` are not what people signed, TRUST_BROKEN when no trust
 *  release leads from `holds` to the head, SECRETS_UNPROVEN when the machine has secrets and there is no secrets release. */
export function buildProof(input: BuildInput): ReleaseProof {
  const { machine, trees, releases } = input;
  const head = input.head.release;
  const { chain } = findTrustChain(input.holds, input.head, releases, input.sections);
  if (chain === null)
    throw new MooringError("TRUST_BROKEN", `${machine}: no signed trust release leads to the trust of release ${head.doc.serial}`);
  const trust = input.head.trust ?? sectionOf(head.doc.trust, releases, input.sections);
  if (trust === null) throw new MooringError("TRUST_BROKEN", `the trust section of release ${head.doc.serial} is not at hand`);
  for (const name of RELEASE_CLASSES) checkRoot(name, trees, head.doc.classes[name], `release ${head.doc.serial}`);
  return {
    head: itemOf(head),
    carried: carriedFor(machine, head, factsOf(releases).signed, trees, trust).map(itemOf),
    trustChain: chain.map((step) => ({ ...itemOf(step.release), trust: bytes64(step.trust.bytes) })),
    paths: Object.fromEntries(
      RELEASE_CLASSES.flatMap((name) => (trees.path(name, machine) === null ? [] : [[name, trees.path(name, machine)!]])),
    ),
    secrets: secretsFor(machine, trees, input.secrets),
  };
}

/** Which earlier releases carry approvals this machine may ask for; also those that show that a class was taken away from it. */
function carriedFor(
  machine: string,
  head: SignedRelease,
  earlier: readonly SignedRelease[],
  trees: FleetTrees,
  trust: Trust,
): readonly SignedRelease[] {
  const found = new Set<SignedRelease>();
  for (const name of RELEASE_CLASSES) {
    const isNamed = trees.path(name, machine) !== null;
    for (const andMachines of isNamed ? [false] : [false, true]) {
      const prover = proverOf(name, head, earlier, trust, andMachines);
      if (prover !== null && prover !== head) found.add(prover);
    }
  }
  return [...found];
}

function secretsFor(machine: string, trees: FleetTrees, secrets: SignedSecrets | null): ReleaseProof["secrets"] {
  const path = trees.path("secrets", machine);
  if (path === null) return null;
  if (secrets === null) throw new MooringError("SECRETS_UNPROVEN", `${machine} has secrets, and no secrets release is signed`);
  checkRoot("secrets", trees, secrets.doc, `secrets release ${secrets.doc.serial}`);
  return { head: itemOf(secrets), path };
}

function checkRoot(name: SectionClass, trees: FleetTrees, signed: { readonly root: string; readonly size: number }, what: string): void {
  const { root, size } = trees.roots[name];
  if (root !== signed.root || size !== signed.size)
    throw new MooringError("ROOT_MISMATCH", `${what}: class ${name} has another root than the one resolved`);
}

function itemOf(signed: Signed<unknown>): { readonly bytes: Bytes64; readonly sigs: readonly string[] } {
  return { bytes: bytes64(signed.bytes), sigs: signed.sigs };
}

function bytes64(bytes: Uint8Array): Bytes64 {
  return toBase64(bytes) as Bytes64;
}
