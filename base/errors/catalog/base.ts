import type { CatalogPart } from "./entry.ts";

/** Encodings, files and time. */
export const BASE = {
  NOT_YET: { disposition: "stalled", fix: 'leave the field out until a version that does it; ARCHITECTURE.md lists them under "Not yet"' },
  CANON_REFUSED: { disposition: "refused", fix: "send the document in its canonical form (RFC 8785)" },
  DIGEST_MALFORMED: { disposition: "refused", fix: "write sha256: and 64 lower-case hex digits" },
  BASE64_MALFORMED: { disposition: "refused", fix: "use padded standard base64 without line breaks" },
  TIME_MALFORMED: { disposition: "refused", fix: "write UTC with milliseconds, like 2026-11-25T10:00:00.000Z" },
  FRAME_MALFORMED: { disposition: "refused", fix: "the peer speaks another protocol; compare versions on both ends" },
  DEADLINE_PASSED: { disposition: "retry", fix: "look at the peer named; it is tried again" },
  NODE_VERSION: { disposition: "stalled", fix: "run it through bin/ or npm run, which use the pinned Node" },
} as const satisfies CatalogPart;
