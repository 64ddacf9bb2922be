export { type BindingParts, bindingOf } from "./binding.ts";
export { ENVELOPE_INFO, openEnvelope, sealEnvelope, signEnvelope, verifyEnvelope } from "./envelope.ts";
export { signLease, verifyLease } from "./lease.ts";
export { isSignedByVault, signerOf, type VaultSigner, vaultKeyText } from "./vault-key.ts";
