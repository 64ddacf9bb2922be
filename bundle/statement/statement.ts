import { digestOf, toBase64 } from "#base/canonical/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { archiveDigests, PAYLOAD_TYPE, type PluginStatement, paeOf, statementBytes } from "#proof/sigstore/index.ts";
import type { Packed } from "../pack/index.ts";
import type { TarFile } from "../tar.ts";

/** The statement a signer makes about `packed`. `serial` grows with every signed bundle of a plugin and is what downgrades are seen by. Pure. */
export function statementFor(packed: Packed, serial: number): PluginStatement {
  if (!Number.isSafeInteger(serial) || serial < 1)
    throw new MooringError("BUNDLE_STATEMENT_MALFORMED", `serial of plugin ${packed.manifest.id}`, {
      why: "a serial is a whole number from 1 on",
      fix: "give --serial a number from 1 on",
    });
  const { id, version, main } = packed.manifest;
  return { id, version, serial, ...archiveDigests(packed.tgz), tree: packed.tree, main, files: packed.files };
}

/** A sigstore bundle v0.3 (UTF-8 JSON) over `statement`, signed by a key that is named by `hint`. `sign` gets the bytes to sign (DSSE's PAE)
 *  and gives an ECDSA signature in DER. */
export async function signStatement(
  statement: PluginStatement,
  hint: string,
  sign: (bytes: Uint8Array) => Uint8Array | Promise<Uint8Array>,
): Promise<Uint8Array> {
  const payload = statementBytes(statement);
  const sig = await sign(paeOf(PAYLOAD_TYPE, payload));
  const bundle = {
    mediaType: "application/vnd.dev.sigstore.bundle.v0.3+json",
    verificationMaterial: { publicKey: { hint }, tlogEntries: [], timestampVerificationData: { rfc3161Timestamps: [] } },
    dsseEnvelope: { payload: toBase64(payload), payloadType: PAYLOAD_TYPE, signatures: [{ sig: toBase64(sig), keyid: "" }] },
  };
  return new TextEncoder().encode(`${JSON.stringify(bundle)}\n`);
}

/** Throws BUNDLE_TREE_MISMATCH unless `files` (unpacked, in any order) are exactly those of the signed list: no more, no less, same modes,
 *  sizes and contents. MUST run before anything of an archive is written to its place. */
export function checkTree(statement: PluginStatement, files: readonly TarFile[]): void {
  const signed = new Map(statement.files.map((file) => [file[0], file]));
  for (const file of files) {
    const want = signed.get(file.path);
    if (want === undefined) throw mismatch(statement, file.path, "it is not in the signed list");
    if (want[1] !== file.mode || want[2] !== file.bytes.length || want[3] !== digestOf(file.bytes))
      throw mismatch(statement, file.path, "it is not as the signed list has it");
    signed.delete(file.path);
  }
  for (const path of signed.keys()) throw mismatch(statement, path, "it is in the signed list only, or twice in the archive");
}

function mismatch(statement: PluginStatement, path: string, why: string): MooringError {
  return new MooringError("BUNDLE_TREE_MISMATCH", `file ${JSON.stringify(path)} of plugin ${statement.id} ${statement.version}`, { why });
}
