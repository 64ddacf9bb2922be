import type { Digest } from "#base/canonical/index.ts";
import { MooringError } from "#base/errors/index.ts";
import type { Time } from "#base/time/index.ts";
import type { Index } from "#proof/root/index.ts";
import type { ReleaseProof } from "#schemas/wire/index.ts";
import { formOf } from "./form.ts";
import { checkMerklePath } from "./merkle-path.ts";
import { readSecrets, releaseName, type SignedSecrets } from "./signed.ts";
import { countRole, hasVaultSigner } from "./signers.ts";
import { checkSerial } from "./stored.ts";
import type { Trust } from "./trust.ts";

type SecretsInput = {
  readonly now: Time;
  readonly fleet: string;
  readonly machine: string;
  readonly stored: { readonly serial: number; readonly digest: Digest } | null;
  /** The machine's secret sections; undefined when identity names no secrets. */
  readonly index: Index | undefined;
  readonly proof: ReleaseProof["secrets"];
  readonly trust: Trust;
  /** The head's serial: key windows hold against it. */
  readonly serial: number;
};

/** The secrets part of a proof, judged by the head's trust; gives what to remember. A machine without secrets keeps what it had. */
export function acceptSecrets(input: SecretsInput): { readonly serial: number; readonly digest: Digest } | null {
  const { index, proof, stored } = input;
  if ((index === undefined) !== (proof === null))
    throw new MooringError("RELEASE_MALFORMED", "the release proof: secrets are there exactly if the machine has some");
  if (index === undefined || proof === null) return stored;
  const form = formOf("RELEASE_MALFORMED", "the secrets part of the release proof");
  const head = readSecrets(form.bytes(proof.head.bytes), proof.head.sigs, input.fleet);
  checkSerial(head, stored, "secrets release");
  if (input.now >= head.doc.expires)
    throw new MooringError("RELEASE_EXPIRED", `secrets release ${releaseName(head)} ran out at ${head.doc.expires}`, {
      why: `spec.trust.expires: nothing new is applied from it, and it is ${input.now} here`,
    });
  if (!isSecretsSigned(head, input.trust, input.serial))
    throw new MooringError("SECRETS_UNPROVEN", `secrets release ${releaseName(head)}`, {
      why: "neither role secrets nor the vault signed it",
    });
  checkMerklePath(input.fleet, input.machine, "secrets", index, head.doc, proof.path);
  return { serial: head.doc.serial, digest: head.digest };
}

/** Whether role `secrets`, or a key of the vault, signed it. */
export function isSecretsSigned(head: SignedSecrets, trust: Trust, serial: number): boolean {
  return hasVaultSigner(trust.section, head.signers(), serial) || countRole(trust.section, "secrets", head, serial).met;
}
