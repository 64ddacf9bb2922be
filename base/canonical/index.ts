export { fromBase64, toBase64 } from "./base64.ts";
export { canon, canonBytes, readCanonical } from "./canon.ts";
export { asDigest, type Digest, digestBytes, digestFrom, digestOf, isDigest, sha256 } from "./digest.ts";
export { isJsonObject, type Json, type JsonObject, memberOf } from "./json.ts";
