export { openPack, PACK_INFO, type PackBlob, type PackTarget, type SealedPack, sealPack, type Unwrap } from "./pack.ts";
