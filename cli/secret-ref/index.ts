export { type AddedSecret, secretRefAdd, type SecretRefAdd } from "./add.ts";
export { type Input, MAX_VALUE, readValue } from "./value.ts";
export { newEscrow } from "./escrow.ts";
