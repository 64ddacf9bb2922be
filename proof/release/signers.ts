import type { Digest } from "#base/canonical/index.ts";
import { hasCode } from "#base/errors/index.ts";
import { type SshSigner, verifySshsig } from "#proof/sshsig/index.ts";
import type { RoleName, TrustSection, WorkflowIdentity } from "#schemas/wire/index.ts";

/** SSHSIG namespaces of what mooring signs. */
export const RELEASE_NAMESPACE = "mooring-release";
export const SECRETS_NAMESPACE = "mooring-secrets";
export const ACTION_NAMESPACE = "mooring-action";

/** How far a role has signed one document. */
export type RoleCount = {
  readonly role: RoleName;
  readonly have: readonly string[];
  readonly need: number;
  readonly principals: readonly string[];
  readonly met: boolean;
};

/** Who signed one document, as far as it was asked: SSH keys, and one workflow under one trusted root. Each is verified once. */
export type Signatures = {
  readonly signers: () => readonly SshSigner[];
  readonly isByWorkflow: (identity: WorkflowIdentity, trustedRoot: Digest) => boolean;
};

/** Whose signatures over `bytes` are good. Those that are wrong, for another namespace or no signatures at all are ignored (WIRE §3.7). */
export function signersOf(bytes: Uint8Array, sigs: readonly string[], namespace: string): readonly SshSigner[] {
  return sigs.flatMap((armored) => {
    try {
      return verifySshsig(armored, bytes, namespace) ?? [];
    } catch (err) {
      if (hasCode(err, "SSHSIG_MALFORMED")) return [];
      throw err;
    }
  });
}

/** Who of a role has signed, by the rule every verifier shares: distinct principals of the role with a key whose window holds `serial`;
 *  a key under two principals counts for none; where role or key demands touch, only a touched hardware key counts. The hub of `by: hub` is such a
 *  principal, too. A role `by: ci` counts the one workflow that its identity names, never a key. */
export function countRole(trust: TrustSection, role: RoleName, signed: Signatures, serial: number): RoleCount {
  const rule = trust.roles[role];
  if (rule.by === "ci") return countWorkflow(trust, role, rule.identity, signed);
  const principals = [...new Set(rule.principals)];
  const all = principalsOf(trust, signed.signers(), serial, rule.touch === "required");
  const have = principals.filter((principal) => all.has(principal));
  return { role, have, need: rule.threshold, principals, met: rule.threshold >= 1 && have.length >= rule.threshold };
}

/** `parseTrust` lets no role by: ci be without identity and trusted root, nor be root or access; said again here, where it counts. */
function countWorkflow(trust: TrustSection, role: RoleName, identity: WorkflowIdentity | undefined, signed: Signatures): RoleCount {
  if (identity === undefined || trust.trustedRoot === null || role === "root" || role === "access")
    return { role, have: [], need: 1, principals: [], met: false };
  const met = signed.isByWorkflow(identity, trust.trustedRoot);
  const principals = [workflowName(identity)];
  return { role, have: met ? principals : [], need: 1, principals, met };
}

/** A workflow as people read it: `acme/fleet/.github/workflows/release.yml@refs/heads/main`. */
export function workflowName({ repository, workflow, ref }: WorkflowIdentity): string {
  return `${repository}/${workflow}@${ref}`;
}

/** Every principal with a good signature among `signers`, whatever its roles; same rules as `countRole`. */
export function principalsOf(trust: TrustSection, signers: readonly SshSigner[], serial: number, needsTouch: boolean): ReadonlySet<string> {
  const owners = ownersOf(trust);
  const found = new Set<string>();
  for (const signer of signers) {
    const owner = owners.get(signer.key);
    if (owner === undefined || owner === SHARED) continue;
    const touched = signer.sk && signer.touched;
    const fits = trust.keys[owner]!.some(
      (k) => k.key === signer.key && inWindow(k, serial) && (touched || (!needsTouch && k.touch === "optional")),
    );
    if (fits) found.add(owner);
  }
  return found;
}

/** Whether a key listed for the vault, valid at `serial`, is among the signers. */
export function hasVaultSigner(trust: TrustSection, signers: readonly SshSigner[], serial: number): boolean {
  return signers.some((signer) => trust.vaultKeys.some((k) => k.key === signer.key && inWindow(k, serial)));
}

const SHARED = Symbol("a key of two principals");

function ownersOf(trust: TrustSection): ReadonlyMap<string, string | typeof SHARED> {
  const owners = new Map<string, string | typeof SHARED>();
  for (const [principal, keys] of Object.entries(trust.keys)) {
    for (const { key } of keys) {
      const before = owners.get(key);
      owners.set(key, before === undefined || before === principal ? principal : SHARED);
    }
  }
  return owners;
}

function inWindow(window: { readonly from: number; readonly until: number | null }, serial: number): boolean {
  return serial >= window.from && (window.until === null || serial <= window.until);
}
