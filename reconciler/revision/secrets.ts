import { msOf, type Time, timeOf } from "#base/time/index.ts";
import { composeSecretsRelease, judgeSecrets, lifetimeOf, type Missing, type SignedSecrets, type Trust } from "#proof/release/index.ts";
import type { Branch } from "./branch.ts";
import { heldSecrets } from "./cover.ts";
import type { ReadOutcome, Released } from "./next.ts";

export type SecretsInput = {
  readonly outcome: ReadOutcome;
  readonly trust: Trust;
  readonly standing: Pick<Released, "trusts" | "inForce">;
  readonly branch: Branch;
  /** Serial of the release it goes with: key windows are held against it. */
  readonly serial: number;
  readonly now: Time;
  /** One that is older does not do: the secrets release is renewed together with the release. */
  readonly issuedFrom?: Time;
};

/** Whether the versions of all secrets are signed. `open` = not yet: `document` is what to sign, a new one or one that waits for more signatures. */
export type SecretsState =
  | { readonly at: "none" }
  | { readonly at: "signed"; readonly signed: SignedSecrets }
  | { readonly at: "open"; readonly missing: Missing; readonly document: Uint8Array; readonly waiting: SignedSecrets | null };

/** Pure. */
export function secretsState(input: SecretsInput): SecretsState {
  const { outcome, trust, branch, serial, now } = input;
  const { secrets } = outcome.roots;
  if (secrets.size === 0) return { at: "none" };
  const { inForce } = input.standing;
  const held = heldSecrets(inForce?.outcome ?? null, branch, inForce?.release.release.doc.serial ?? 0);
  const isSame = ({ doc }: SignedSecrets): boolean => doc.root === secrets.root && doc.size === secrets.size;
  const isFresh = ({ doc }: SignedSecrets): boolean => now < doc.expires && doc.issued >= (input.issuedFrom ?? doc.issued);
  const same = branch.secrets.filter((item) => isSame(item) && item.doc.serial >= held && isFresh(item));
  const signed = same.find((item) => judgeSecrets(item, trust, serial) === null);
  if (signed !== undefined) return { at: "signed", signed };
  const waiting = same.find((item) => lifetimeOf(item.doc, now) === "fresh" && isOurs(item, input)) ?? null;
  const rule = trust.section.roles.secrets;
  const missing =
    waiting === null
      ? { role: "secrets" as const, classes: ["secrets" as const], have: [], need: rule.threshold, principals: rule.principals }
      : judgeSecrets(waiting, trust, serial)!;
  const expires = timeOf(msOf(now) + trust.section.expiresSeconds * 1000);
  return { at: "open", missing, waiting, document: waiting?.bytes ?? composed(input, now, expires) };
}

/** As for releases: only what we would have made ourselves is joined. */
function isOurs({ doc, bytes }: SignedSecrets, input: SecretsInput): boolean {
  if (msOf(doc.expires) !== msOf(doc.issued) + input.trust.section.expiresSeconds * 1000) return false;
  return Buffer.from(composed(input, doc.issued, doc.expires)).equals(bytes);
}

function composed(input: SecretsInput, issued: Time, expires: Time): Uint8Array {
  const { outcome } = input;
  return composeSecretsRelease({
    fleet: outcome.resolved.fleet,
    prev: newestSigned(input),
    secrets: outcome.roots.secrets,
    issued,
    expires,
  });
}

/** The newest one that machines may hold: signed for by the trust of any complete release, or by the one to come. */
function newestSigned({ trust, standing, branch, serial }: SecretsInput): SignedSecrets | null {
  const trusts = [{ trust, serial }, ...standing.trusts];
  return branch.secrets.find((item) => trusts.some((at) => judgeSecrets(item, at.trust, at.serial) === null)) ?? null;
}
