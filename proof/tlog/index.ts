export { type Checkpoint, formatCheckpoint, parseCheckpoint } from "./checkpoint.ts";
export {
  cosignatureBody,
  cosignatureNoteKey,
  cosignedBytes,
  ecdsaKeyId,
  ecdsaNoteKey,
  ed25519NoteKey,
  namedKeyId,
  NOTE_COSIGNATURE,
  NOTE_ECDSA,
  NOTE_ED25519,
  type NoteKey,
  type VerifiedNote,
  verifyNote,
} from "./keys.ts";
export { emptyRoot, type Hash, leafHash, merkleRootOf, MerkleTree, nodeHash } from "./merkle.ts";
export { formatNote, type Note, type NoteSignature, parseNote } from "./note.ts";
export {
  decodeEntries,
  decodeTile,
  encodeEntries,
  encodeTile,
  parseTilePath,
  type Tile,
  TILE_WIDTH,
  tilePath,
  tileRoot,
  tilesOf,
} from "./tiles.ts";
export { isConsistent, rootFromInclusion } from "./verify.ts";
