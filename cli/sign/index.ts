export { publicHalf } from "./key.ts";
export { type Signer, type SignerOptions, signerOf } from "./signer.ts";
