import { hasCode, MooringError } from "#base/errors/index.ts";
import type { Objects, Oid } from "./objects.ts";

const MAX_LENGTH = 100;

/** Whom a commit names as its author, short and on one line: claimed, not proven. */
export async function authorOf(objects: Objects, oid: Oid): Promise<string> {
  const match = /^author ([^\n]*?) \d+ [+-]\d{4}$/m.exec(Buffer.from(await objects.raw(oid, "commit")).toString("utf8"));
  return (match?.[1] ?? "nobody").replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, "?").slice(0, MAX_LENGTH);
}

/** A commit as a refusal names it. */
export async function commitName(objects: Objects, oid: Oid): Promise<string> {
  return `commit ${oid.slice(0, 12)} by ${await authorOf(objects, oid)}`;
}

/** Runs `work`, which reads the tree of `commit`; a refusal of the tree then says whose commit it is. */
export async function naming<T>(objects: Objects, commit: Oid, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (err) {
    if (!hasCode(err, "SOURCE_TREE_REFUSED")) throw err;
    const { why, have, cause } = err;
    throw new MooringError(err.code, `${await commitName(objects, commit)}: ${err.message}`, {
      ...(why === undefined ? {} : { why }),
      ...(have === undefined ? {} : { have }),
      cause,
    });
  }
}
