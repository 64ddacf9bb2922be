import type { Digest, Json } from "#base/canonical/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { archiveDigests, type PluginStatement, parseStatement, purlOf } from "./statement.ts";
import { verifyBundle } from "./verify-bundle.ts";

/** What a plugin section asks for (`signer` as it stands there). */
export type WantedPlugin = {
  readonly id: string;
  readonly version: string;
  readonly serial: number;
  readonly bundle: Digest;
  readonly signer: Json;
};
/** The archive itself, or its digest where the bytes were hashed already. */
export type PluginProof = { readonly bundleJson: Uint8Array } & ({ readonly tgz: Uint8Array } | { readonly digest: Digest });

/** The signed statement about exactly the plugin that is wanted: signature by the wanted key first, then id, version, serial and digest, each
 *  compared with the request and the archive. Offline, synchronous, pure. Whoever unpacks the archive MUST then hold its files against
 *  `files` (`checkTree`). Throws what `verifyBundle` and `parseStatement` throw, and STATEMENT_PLUGIN_, STATEMENT_VERSION_,
 *  STATEMENT_SERIAL_ and STATEMENT_DIGEST_MISMATCH. */
export function verifyPlugin(proof: PluginProof, want: WantedPlugin): PluginStatement {
  const { payload } = verifyBundle(proof.bundleJson, want.signer);
  const statement = parseStatement(payload);
  const where = `bundle of plugin ${purlOf(want.id, want.version)}`;
  const same = (code: MismatchCode, expected: string | number, found: string | number): void => {
    if (expected !== found) throw new MooringError(code, where, { why: `expected ${expected}, found ${found}` });
  };
  same("STATEMENT_PLUGIN_MISMATCH", want.id, statement.id);
  same("STATEMENT_VERSION_MISMATCH", want.version, statement.version);
  same("STATEMENT_SERIAL_MISMATCH", want.serial, statement.serial);
  same("STATEMENT_DIGEST_MISMATCH", want.bundle, statement.bundle);
  if ("digest" in proof) same("STATEMENT_DIGEST_MISMATCH", statement.bundle, proof.digest);
  else {
    const archive = archiveDigests(proof.tgz);
    same("STATEMENT_DIGEST_MISMATCH", statement.bundle, archive.bundle);
    same("STATEMENT_DIGEST_MISMATCH", statement.sha512, archive.sha512);
  }
  return statement;
}

type MismatchCode = "STATEMENT_PLUGIN_MISMATCH" | "STATEMENT_VERSION_MISMATCH" | "STATEMENT_SERIAL_MISMATCH" | "STATEMENT_DIGEST_MISMATCH";
