import { type Holds, judgeSecrets, type Trust } from "#proof/release/index.ts";
import type { Branch } from "./branch.ts";
import { completeOf } from "./next.ts";

/** Serials of the newest release and of the newest secrets release on the branch that the right people signed; 0 where there is none. What anybody may have
 *  pushed beside them says nothing about how far people came. Pure. */
export function newestSigned(branch: Branch, holds: Holds, own: Trust): { readonly serial: number; readonly secretsSerial: number } {
  const { complete, trusts } = completeOf(branch, holds, own);
  // Of each trust section its newest and its oldest release: key windows hold against a release's serial, and thousands may name one section.
  const newest = new Map(trusts.toReversed().map((item) => [item.trust.leaf, item]));
  const oldest = new Map(trusts.map((item) => [item.trust.leaf, item]));
  const at = [...newest.values(), ...oldest.values()];
  const secrets = branch.secrets.find((item) => at.some(({ trust, serial }) => judgeSecrets(item, trust, serial) === null));
  return { serial: complete[0]?.release.doc.serial ?? 0, secretsSerial: secrets?.doc.serial ?? 0 };
}
