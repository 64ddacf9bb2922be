export { Cleartext } from "./cleartext.ts";
export type { SecureMemory } from "./memory.ts";
