import { type Digest, digestOf } from "#base/canonical/index.ts";
import type { ReleaseClass, SectionClass } from "#proof/root/index.ts";
import type { SshSigner } from "#proof/sshsig/index.ts";
import type { RoleName } from "#schemas/wire/index.ts";
import { type ClassEntry, parseRelease, parseSecretsRelease, type ReleaseDoc, type SecretsDoc } from "./documents.ts";
import { countRole, RELEASE_NAMESPACE, SECRETS_NAMESPACE, type Signatures, signersOf } from "./signers.ts";
import type { Trust } from "./trust.ts";
import { workflowsOf } from "./workflows.ts";

/** A parsed document with its bytes, digest and the good signatures over it (verified once, when first asked for). */
export type Signed<T> = Signatures & {
  readonly doc: T;
  readonly bytes: Uint8Array;
  readonly digest: Digest;
  /** SSHSIGs, and for a role by: ci sigstore bundles with the trusted root they are verified under. */
  readonly sigs: readonly string[];
};
export type SignedRelease = Signed<ReleaseDoc>;
export type SignedSecrets = Signed<SecretsDoc>;

/** A release as people and its folder name it: `9-1a2b3c4d`. */
export function releaseName({ doc, digest }: { readonly doc: { readonly serial: number }; readonly digest: Digest }): string {
  return `${doc.serial}-${digest.slice(7, 15)}`;
}

/** A release and the signatures that came with it; throws RELEASE_MALFORMED. */
export function readRelease(bytes: Uint8Array, sigs: readonly string[], fleet: string): SignedRelease {
  return signed(parseRelease(bytes, fleet), bytes, sigs, RELEASE_NAMESPACE);
}

export function readSecrets(bytes: Uint8Array, sigs: readonly string[], fleet: string): SignedSecrets {
  return signed(parseSecretsRelease(bytes, fleet), bytes, sigs, SECRETS_NAMESPACE);
}

function signed<T>(doc: T, bytes: Uint8Array, sigs: readonly string[], namespace: string): Signed<T> {
  let known: readonly SshSigner[] | null = null;
  return {
    doc,
    bytes,
    digest: digestOf(bytes),
    sigs,
    signers: () => (known ??= signersOf(bytes, sigs, namespace)),
    isByWorkflow: workflowsOf(bytes, sigs, namespace),
  };
}

/** The role that signs a class (DESIGN §5). */
export function roleOfClass(name: SectionClass): RoleName {
  switch (name) {
    case "machines":
    case "baseline":
    case "plugins":
      return "release";
    case "access":
      return "access";
    case "secrets":
      return "secrets";
    default:
      return name satisfies never;
  }
}

export function isSameEntry(a: ClassEntry, b: ClassEntry): boolean {
  return a.root === b.root && a.since === b.since && a.size === b.size;
}

/** The release that proves an entry of `head` by `trust`: one with the same {root, since, size}, signed by the class's role, whole threshold on
 *  one document; head first, else an earlier one of `carried`. With `andMachines` its machines entry must be head's too, which is what taking
 *  a class away from a machine needs. Null when none does. */
export function proverOf(
  name: ReleaseClass,
  head: SignedRelease,
  carried: readonly SignedRelease[],
  trust: Trust,
  andMachines = false,
): SignedRelease | null {
  const isMet = askFor(roleOfClass(name), trust);
  if (isMet(head)) return head;
  return carried.find((release) => isCandidate(release, name, head, andMachines) && isMet(release)) ?? null;
}

/** Whether `release`, were it signed, could prove that entry of `head`. */
export function isCandidate(release: SignedRelease, name: ReleaseClass, head: SignedRelease, andMachines = false): boolean {
  return (
    release.doc.serial < head.doc.serial &&
    isSameEntry(release.doc.classes[name], head.doc.classes[name]) &&
    (!andMachines || isSameEntry(release.doc.classes.machines, head.doc.classes.machines))
  );
}

const MAX_QUESTIONS = 1_000; // trust sections that somebody made up must not fill memory
const answers = new Map<string, WeakMap<SignedRelease, boolean>>();

/** Whether a role's threshold signed a release, by `trust`. */
export function hasRole(release: SignedRelease, role: RoleName, trust: Trust): boolean {
  return askFor(role, trust)(release);
}

/** The same for many releases; each is counted once. */
function askFor(role: RoleName, trust: Trust): (release: SignedRelease) => boolean {
  const question = `${role} ${trust.leaf}`;
  let known = answers.get(question);
  if (known === undefined) {
    if (answers.size >= MAX_QUESTIONS) answers.clear();
    answers.set(question, (known = new WeakMap()));
  }
  const to = known;
  return (release) => {
    let answer = to.get(release);
    if (answer === undefined) to.set(release, (answer = countRole(trust.section, role, release, release.doc.serial).met));
    return answer;
  };
}
