export { AES_128_GCM, type Aead, CHACHA20_POLY1305, unopened } from "./aead.ts";
export { bech32, unbech32 } from "./bech32.ts";
export { type Ecdh, openWith, type Sealed, type SealOptions, sealTo } from "./hpke.ts";
export { checkPoint, compress, POINT_SIZE, pointOf, recipientOf } from "./point.ts";
