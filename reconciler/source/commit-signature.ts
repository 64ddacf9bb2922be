import { createHash } from "node:crypto";
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
  const names = Object.keys(allowed.keys).filter((name) => allowed.keys[name]?.some(({ key }) => key === signer.key));
  const own = names.flatMap((name) => allowed.keys[name] ?? []).filter(({ key }) => key === signer.key);
  const namespaces = allowed.namespaces.get(signer.key);
  const key = `key ${printOf(signer.key)}${names.length === 0 ? "" : ` of ${names.join(", ")}`}`;
  if (own.length === 0) return `it is signed by ${key}, which is not allowed to sign commits: nobody in allowed_signers has it`;
  if (namespaces !== null && namespaces?.includes(GIT_NAMESPACE) !== true)
    return `it is signed by ${key}, which is not allowed to sign commits: its namespaces leave out git`;
  const times = allowed.times.get(signer.key);
  if ((times?.after != null && committedAt < times.after) || (times?.before != null && committedAt > times.before))
    return `it is signed by ${key}, which was not valid when it was committed (valid-after, valid-before)`;
  const current = own.filter(({ from, until }) => from <= serial && (until === null || serial <= until));
  if (current.length === 0)
    return `it is signed by ${key}, which is not allowed to sign commits at release ${serial} (mooring:from, mooring:until)`;
  return current.some(({ touch }) => touch !== "required" || signer.touched)
    ? null
    : `it is signed by ${key} without a touch, which its line asks for`;
}

/** A key as `ssh-keygen -l` names it. */
function printOf(key: string): string {
  const blob = Buffer.from(key.split(" ")[1] ?? "", "base64");
  return `SHA256:${createHash("sha256").update(blob).digest("base64").replace(/=+$/, "")}`;
}
