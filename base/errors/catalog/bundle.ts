import type { CatalogPart } from "./entry.ts";

/** Plugin bundles and their signatures. */
export const BUNDLE = {
  BUNDLE_MALFORMED: { disposition: "refused", fix: "pack the plugin again with `mooring plugin pack`" },
  BUNDLE_TOO_LARGE: { disposition: "refused", fix: "make the plugin smaller; big public files belong in spec.assets" },
  BUNDLE_PATH_REFUSED: {
    disposition: "refused",
    fix: "rename the file: relative, plain names, no two that differ only in case or Unicode form",
  },
  BUNDLE_ENTRY_REFUSED: { disposition: "refused", fix: "replace links, devices and native code by regular files of JavaScript" },
  BUNDLE_TREE_MISMATCH: { disposition: "refused", fix: "sign the archive again: its files are not those of the signed list" },
  BUNDLE_DIGEST_MISMATCH: {
    disposition: "refused",
    fix: "compare spec.digest with the file at spec.source, then pin again with `mooring plugin pin`",
  },
  BUNDLE_UNREACHABLE: { disposition: "retry", fix: "check spec.source.url: the archive and its .sigstore.json must be served there" },
  BUNDLE_SOURCE_REFUSED: {
    disposition: "stalled",
    fix: "write spec.source.url as https://…, http://… or file:///… without user and password",
  },
  UNPACK_FAILED: { disposition: "retry", fix: "look at the machine's load and memory; the unpacking child ended without an answer" },
  PLUGIN_MANIFEST_INVALID: { disposition: "stalled", fix: "correct package.json (name, version, main) and openclaw.plugin.json (id)" },
  PLUGIN_SCRIPTS_REFUSED: { disposition: "stalled", fix: "take install scripts out of package.json: nothing is installed on a machine" },
  SIGSTORE_MALFORMED: { disposition: "refused", fix: "sign again with `mooring plugin sign`" },
  SIGSTORE_MEDIA_TYPE: { disposition: "refused", fix: "sign again: only sigstore bundles v0.3 are accepted" },
  SIGSTORE_SIGNER_MISMATCH: {
    disposition: "refused",
    fix: "compare the key of spec.verify with the key that signed; either sign again or review another key",
  },
  SIGSTORE_KEY_EXPIRED: { disposition: "refused", fix: "sign again with a current key" },
  SIGSTORE_SIGNATURE_INVALID: { disposition: "refused", fix: "fetch the bundle again; if it stays, it was altered after signing" },
  SIGNER_INVALID: { disposition: "stalled", fix: "give spec.verify.key a PEM public key on P-256 or P-384" },
  STATEMENT_TYPE_MISMATCH: {
    disposition: "refused",
    fix: "sign with `mooring plugin sign`: attestations about something else do not count",
  },
  BUNDLE_STATEMENT_MALFORMED: { disposition: "refused", fix: "sign again with `mooring plugin sign`" },
  STATEMENT_PLUGIN_MISMATCH: { disposition: "refused", fix: "the bundle belongs to another plugin: pin the right one" },
  STATEMENT_VERSION_MISMATCH: { disposition: "refused", fix: "pin the version that was signed: `mooring plugin pin`" },
  STATEMENT_SERIAL_MISMATCH: { disposition: "refused", fix: "pin again: the lock file names another serial than the signature" },
  STATEMENT_DIGEST_MISMATCH: { disposition: "refused", fix: "the signature is about another archive: fetch or sign again" },
  STREAM_CORRUPT: { disposition: "refused", fix: "send it again; the sealed bytes were altered, cut or reordered" },
  PACK_MALFORMED: { disposition: "refused", fix: "send the pack again" },
  PACK_NOT_OURS: { disposition: "refused", fix: "seal the pack to this machine's current key" },
  PLUGIN_FILE_MISSING: { disposition: "stalled", fix: "check the path" },
  PLUGIN_KEY_UNUSABLE: {
    disposition: "stalled",
    fix: "make a key with `openssl ecparam -genkey -name prime256v1 -noout | openssl pkcs8 -topk8 -nocrypt`",
  },
  PLUGIN_PIN_REFUSED: {
    disposition: "stalled",
    fix: "give plugins/<id>.yaml a spec with version, digest and source.url lines, then pin again",
  },
} as const satisfies CatalogPart;
