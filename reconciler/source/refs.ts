import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isErrno } from "#base/durable/index.ts";
import { MooringError } from "#base/errors/index.ts";
import type { Oid } from "./objects.ts";

/** The full name of a reference: a branch's, or one given in full already (`refs/pull/42/head`). Pure. */
export function refOf(branch: string): string {
  return branch.startsWith("refs/") ? branch : `refs/heads/${branch}`;
}

const OID = /^[0-9a-f]{40}$/;
const MAX_HOPS = 5; // of symbolic references, as in git

/** The commit that `ref` (a full name) has in `gitdir`, loose or packed (gitrepository-layout(5)); null when there is no such reference. SOURCE_CORRUPT for
 *  one that can't be read, NOT_YET for repositories that keep references or objects in another form. */
export function readRef(gitdir: string, ref: string): Oid | null {
  refuseOtherForms(gitdir);
  let name = ref;
  for (let hop = 0; hop <= MAX_HOPS; hop++) {
    // Loose first: git writes packed-refs before it removes the loose file.
    const text = (textOf(join(gitdir, name)) ?? packed(gitdir, name))?.trimEnd();
    if (text === undefined) return null;
    if (OID.test(text)) return text;
    const target = /^ref: (refs\/[^\0-\x20\x7f]+)$/.exec(text)?.[1];
    if (target === undefined || target.split("/").includes("..")) break;
    name = target;
  }
  throw new MooringError("SOURCE_CORRUPT", `${ref} of ${gitdir}`, { why: "the reference can't be read" });
}

function packed(gitdir: string, ref: string): string | undefined {
  const line = (textOf(join(gitdir, "packed-refs")) ?? "").split("\n").find((one) => one.slice(41).trimEnd() === ref && one[40] === " ");
  return line?.slice(0, 40);
}

function refuseOtherForms(gitdir: string): void {
  const config = textOf(join(gitdir, "config")) ?? "";
  const form = /^\s*(?:refstorage\s*=\s*reftable|objectformat\s*=\s*sha256)\b/im.exec(config)?.[0].trim();
  if (form !== undefined)
    throw new MooringError("NOT_YET", `${gitdir}: a repository with ${form}`, {
      fix: "use one with loose or packed references and SHA-1 objects",
    });
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (err) {
    if (isErrno(err, "ENOENT") || isErrno(err, "ENOTDIR") || isErrno(err, "EISDIR")) return null;
    throw err;
  }
}
