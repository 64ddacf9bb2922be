export { type AgeIdentity, openAge } from "./age.ts";
export { readAgeFile } from "./age-header.ts";
export { type InitOptions, initVault, pinTrust, readConfig, type VaultConfig } from "./config.ts";
export { refuseExposed } from "./guard.ts";
export { loadKeys, makeKeys, type VaultKeys } from "./keys.ts";
export { type RunOptions, runVault } from "./serve.ts";
export { VaultStore } from "./store.ts";
export { makeVault, type Vault, type VaultParts } from "./vault.ts";
