export { type KeyedBundle, shapeOf } from "./shape.ts";
export { hintOf, keyOf, type SignerKey, signerKeyOf } from "./signer.ts";
export {
  archiveDigests,
  PAYLOAD_TYPE,
  type PluginStatement,
  paeOf,
  parseStatement,
  PREDICATE_TYPE,
  purlOf,
  statementBytes,
  VERSION,
} from "./statement.ts";
export { type KeyWindow, type Verified, verifyBundle } from "./verify-bundle.ts";
export { type PluginProof, verifyPlugin, type WantedPlugin } from "./verify-plugin.ts";
export { parseTrustedRoot, type TrustMaterial } from "./trusted-root.ts";
export { verifyWorkflow } from "./verify-workflow.ts";
export { isKnownIssuer } from "./workflow-identity.ts";
