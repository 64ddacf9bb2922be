import { canon, type Digest, digestOf } from "#base/canonical/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { parseTrustedRoot, type TrustMaterial, verifyWorkflow } from "#proof/sigstore/index.ts";
import type { WorkflowIdentity } from "#schemas/wire/index.ts";
import type { Signatures } from "./signers.ts";

/** DSSE payload type of a document that a workflow signs: the namespace that an SSHSIG over it has. */
export function payloadTypeOf(namespace: string): string {
  return `application/vnd.${namespace}+json`;
}

/** Whether a workflow signed `bytes`: one of `sigs` is its sigstore bundle and another the trusted root with the digest that the trust section names.
 *  Anybody may add to a document's signatures, so what is none or does not hold is ignored. Each question is answered once. Pure. */
export function workflowsOf(bytes: Uint8Array, sigs: readonly string[], namespace: string): Signatures["isByWorkflow"] {
  const answers = new Map<string, boolean>();
  return (identity, trustedRoot) => {
    const question = canon([identity, trustedRoot]);
    let answer = answers.get(question);
    if (answer === undefined) answers.set(question, (answer = ask(bytes, sigs, namespace, identity, trustedRoot)));
    return answer;
  };
}

function ask(bytes: Uint8Array, sigs: readonly string[], namespace: string, identity: WorkflowIdentity, trustedRoot: Digest): boolean {
  const documents = sigs.filter((text) => text.startsWith("{")).map((text) => Buffer.from(text, "utf8"));
  const root = documents.find((document) => digestOf(document) === trustedRoot);
  const material = root === undefined ? null : rootOf(trustedRoot, root);
  if (material === null) return false;
  const payload = { type: payloadTypeOf(namespace), bytes };
  return documents.some((bundle) => bundle !== root && isGood(() => verifyWorkflow(bundle, payload, identity, material)));
}

const MAX_ROOTS = 4;
const roots = new Map<Digest, TrustMaterial | null>();

/** The trusted root with that digest; read once, since ten thousand documents may come with it. */
function rootOf(digest: Digest, bytes: Uint8Array): TrustMaterial | null {
  const known = roots.get(digest);
  if (known !== undefined) return known;
  let root: TrustMaterial | null = null;
  isGood(() => (root = parseTrustedRoot(bytes)));
  if (roots.size >= MAX_ROOTS) roots.clear();
  roots.set(digest, root);
  return root;
}

function isGood(work: () => unknown): boolean {
  try {
    work();
    return true;
  } catch (err) {
    if (err instanceof MooringError) return false;
    throw err;
  }
}
