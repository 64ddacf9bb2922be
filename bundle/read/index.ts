export { LIMITS, type Limits } from "../limits.ts";
export type { TarFile } from "../tar.ts";
export { readBundle } from "./archive.ts";
export { decodeUnpacked, encodeRefusal, encodeUnpacked, type UnpackedFile, unpackedLimit } from "./codec.ts";
export { type UnpackCommand, type UnpackOptions, unpackInChild } from "./spawn.ts";
