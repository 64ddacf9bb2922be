export { publicHalf } from "./key.ts";
export { type Signer, type SignerOptions, signerOf } from "./signer.ts";
export type { SigstorePlace } from "./workflow.ts";
