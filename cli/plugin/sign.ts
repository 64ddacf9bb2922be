import { createPublicKey, type KeyObject, sign } from "node:crypto";
import { bundleToJSON } from "@sigstore/bundle";
import { DSSEBundleBuilder } from "@sigstore/sign";
import { hintOf, PAYLOAD_TYPE, type PluginStatement, statementBytes } from "#proof/sigstore/index.ts";

/** A sigstore bundle v0.3 (UTF-8 JSON) over `statement` by a P-256 private key, made by sigstore's own builder: DSSE, no certificate, no log. */
export async function signWithKey(statement: PluginStatement, key: KeyObject): Promise<Uint8Array> {
  const spki = createPublicKey(key).export({ type: "spki", format: "der" });
  const publicKey = createPublicKey(key).export({ type: "spki", format: "pem" }).toString();
  const signer = {
    sign: (data: Buffer) =>
      Promise.resolve({ signature: sign("sha256", data, key), key: { $case: "publicKey", publicKey, hint: hintOf(spki) } as const }),
  };
  const bundle = await new DSSEBundleBuilder({ signer, witnesses: [] }).create({
    data: Buffer.from(statementBytes(statement)),
    type: PAYLOAD_TYPE,
  });
  return new TextEncoder().encode(`${JSON.stringify(bundleToJSON(bundle))}\n`);
}
