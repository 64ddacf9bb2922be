import { hasCode } from "#base/errors/index.ts";
import { type SshSigner, verifySshsig } from "#proof/sshsig/index.ts";
import { splitCommit } from "./split.ts";

/** What git's own SSH signatures are made for. */
export const GIT_NAMESPACE = "git";

/** Who signed a commit, or why nobody did. `openpgp` = an OpenPGP signature over `payload`, for who has the keys to judge; `foreign` = one of another kind
 *  (X.509) or an unreadable one. */
export type CommitSigner =
  | { readonly at: "signed"; readonly signer: SshSigner }
  | { readonly at: "unsigned" }
  | { readonly at: "openpgp"; readonly armored: string; readonly payload: Uint8Array }
  | { readonly at: "foreign" }
  | { readonly at: "wrong" };

/** Judges the SSH signature of a commit's raw content. Throws GIT_OBJECT_MALFORMED. Whether the key may sign is for the caller. */
export function verifyCommit(raw: Uint8Array): CommitSigner {
  const { payload, signature } = splitCommit(raw);
  if (signature === null) return { at: "unsigned" };
  if (signature.startsWith("-----BEGIN PGP SIGNATURE-----")) return { at: "openpgp", armored: signature, payload };
  try {
    const signer = verifySshsig(signature, payload, GIT_NAMESPACE);
    return signer === null ? { at: "wrong" } : { at: "signed", signer };
  } catch (err) {
    if (hasCode(err, "SSHSIG_MALFORMED")) return { at: "foreign" };
    throw err;
  }
}
