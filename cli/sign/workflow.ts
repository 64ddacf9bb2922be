import { bundleToJSON } from "@sigstore/bundle";
import { CIContextProvider, DEFAULT_FULCIO_URL, DEFAULT_REKOR_URL, DSSEBundleBuilder, FulcioSigner, RekorWitness } from "@sigstore/sign";
import { MooringError } from "#base/errors/index.ts";
import { payloadTypeOf } from "#proof/release/index.ts";

/** The sigstore that signs; left out = the public one. Its trusted_root.json MUST be the one that the trust section pins. */
export type SigstorePlace = { readonly fulcio?: string | undefined; readonly rekor?: string | undefined };

/** The sigstore bundle (JSON) of a workflow over a document, as the workflow this process runs in: its identity comes from the forge's token. Throws SIGNING_FAILED;
 *  what the library says may hold the token, so it stays `cause`. */
export async function signAsWorkflow(bytes: Uint8Array, namespace: string, { fulcio, rekor }: SigstorePlace): Promise<string> {
  const signer = new FulcioSigner({ fulcioBaseURL: fulcio ?? DEFAULT_FULCIO_URL, identityProvider: new CIContextProvider("sigstore") });
  const witness = new RekorWitness({ rekorBaseURL: rekor ?? DEFAULT_REKOR_URL, entryType: "dsse" });
  try {
    const builder = new DSSEBundleBuilder({ signer, witnesses: [witness] });
    const bundle = await builder.create({ data: Buffer.from(bytes), type: payloadTypeOf(namespace) });
    return JSON.stringify(bundleToJSON(bundle));
  } catch (cause) {
    throw new MooringError("SIGNING_FAILED", "as a workflow", {
      why: "there is no token here, or sigstore refused it or cannot be reached",
      fix: "run it in a job with `permissions: { id-token: write, contents: write }` on the branch that spec.trust.roles names",
      cause,
    });
  }
}
