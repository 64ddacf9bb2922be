import { canon, digestOf } from "#base/canonical/index.ts";
import { hasCode } from "#base/errors/index.ts";
import { GIT_NAMESPACE, parseCommit, verifyCommit } from "#proof/gitobject/index.ts";
import type { AllowedSigners, SshSigner } from "#proof/sshsig/index.ts";
import { openpgpRefusal } from "./openpgp.ts";

/** Who may sign commits: trust/allowed_signers, and armored OpenPGP keys where there are some. `serial` = release in force, against which
 *  `mooring:from` and `mooring:until` hold; `now` in milliseconds, against which an OpenPGP key's end holds. */
export type Authors = {
  readonly allowed: AllowedSigners;
  readonly openpgp: string | null;
  readonly serial: number;
  readonly now: number;
};

/** Why a commit's signature does not count, or null when it does, as `git verify-commit` says under the same keys and files. In one thing it is stricter: a
 *  hardware key must have been touched unless its line says otherwise (ssh-keygen takes it untouched), and keys have windows of serials. `raw` is the
 *  commit object's content. */
export async function signatureRefusal(raw: Uint8Array, authors: Authors): Promise<string | null> {
  try {
    const found = verifyCommit(raw);
    switch (found.at) {
      case "unsigned":
        return UNSIGNED;
      case "openpgp":
        return await openpgpRefusal(found.armored, found.payload, authors.openpgp, new Date(authors.now));
      case "foreign":
        return "its signature is neither an SSH nor an OpenPGP signature";
      case "wrong":
        return "its signature does not fit its content";
      case "signed":
        return keyRefusal(found.signer, parseCommit(raw).committer.at, authors);
      default:
        return found satisfies never;
    }
  } catch (err) {
    if (hasCode(err, "GIT_OBJECT_MALFORMED")) return "it is not a well-formed commit";
    throw err;
  }
}

/** What is said of a commit without a signature. */
export const UNSIGNED = "it is not signed";

/** What is remembered of signatures under one set of keys: change a key and everything is verified anew. */
export function authorsKey({ allowed, openpgp, serial, now }: Authors): string {
  const hour = openpgp === null ? 0 : Math.floor(now / 3_600_000);
  const { keys, namespaces, times } = allowed;
  return digestOf(canon({ keys, namespaces: Object.fromEntries(namespaces), times: Object.fromEntries(times), openpgp, serial, hour }));
}

function keyRefusal(signer: SshSigner, committedAt: number, { allowed, serial }: Authors): string | null {
  const own = Object.values(allowed.keys)
    .flat()
    .filter(({ key }) => key === signer.key);
  const namespaces = allowed.namespaces.get(signer.key);
  if (own.length === 0 || (namespaces !== null && namespaces?.includes(GIT_NAMESPACE) !== true))
    return "its key is not allowed to sign commits";
  const times = allowed.times.get(signer.key);
  if ((times?.after != null && committedAt < times.after) || (times?.before != null && committedAt > times.before))
    return "its key was not valid when it was committed";
  const current = own.filter(({ from, until }) => from <= serial && (until === null || serial <= until));
  if (current.length === 0) return `its key is not allowed to sign commits at release ${serial}`;
  return current.some(({ touch }) => touch !== "required" || signer.touched) ? null : "its hardware key was not touched";
}
