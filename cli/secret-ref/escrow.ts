import { generateX25519Identity, identityToRecipient } from "age-encryption";

/** A new age key for an escrow: `identity` is the private half, for paper only. age's own tools read both. */
export async function newEscrow(): Promise<{ readonly identity: string; readonly recipient: string }> {
  const identity = await generateX25519Identity();
  return { identity, recipient: await identityToRecipient(identity) };
}
