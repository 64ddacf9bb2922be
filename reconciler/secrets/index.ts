export { type LeaseRequest, type VaultClient, vaultClient, type VaultClientOptions } from "./client.ts";
