export { composeSshsig } from "./compose.ts";
export { type AllowedSigners, type CommitTimes, HUB_PRINCIPAL, parseAllowedSigners, VAULT_PRINCIPAL } from "./allowed-signers.ts";
export { type KeyType, parseKeyBlob, parseKeyText, type SshKey } from "./key.ts";
export { parseSshsig, type Sshsig } from "./parse.ts";
export { Reader, ShortRead, sshString } from "./reader.ts";
export { signedBytes, type SshSigner, verifySshsig } from "./verify.ts";
