import { createHash } from "node:crypto";
import {
  canonBytes,
  type Digest,
  digestFrom,
  isDigest,
  isJsonObject,
  type Json,
  type JsonObject,
  readCanonical,
} from "#base/canonical/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { type TreeFile, treeDigest } from "#proof/root/index.ts";

export const PAYLOAD_TYPE = "application/vnd.in-toto+json";
export const STATEMENT_TYPE = "https://in-toto.io/Statement/v1";
export const PREDICATE_TYPE = "https://mooring.dev/plugin/v1";

/** What a signer says about one plugin bundle. `bundle` and `sha512` (hex) are of the .tgz; `files` is the closed list, sorted by path bytes. */
export type PluginStatement = {
  readonly id: string;
  readonly version: string;
  readonly serial: number;
  readonly bundle: Digest;
  readonly sha512: string;
  readonly tree: Digest;
  readonly main: string;
  readonly files: readonly TreeFile[];
};

/** Canonical bytes of the in-toto Statement v1 over `statement`: what DSSE signs. Pure. */
export function statementBytes(statement: PluginStatement): Uint8Array {
  const { id, version, serial, tree, main, files } = statement;
  return canonBytes({
    _type: STATEMENT_TYPE,
    subject: [{ name: purlOf(id, version), digest: { sha256: statement.bundle.slice(7), sha512: statement.sha512 } }],
    predicateType: PREDICATE_TYPE,
    predicate: { pluginId: id, version, serial, tree, main, files, closed: true },
  });
}

/** The inverse of `statementBytes`: exactly these members, canonical, tree recomputed from the list. Throws STATEMENT_TYPE_MISMATCH for
 *  an attestation of another kind and BUNDLE_STATEMENT_MALFORMED for anything else. Pure. */
export function parseStatement(bytes: Uint8Array): PluginStatement {
  const value = readJson(bytes);
  if (!isJsonObject(value)) throw malformed("it is not an object");
  mustBe("_type", value["_type"], STATEMENT_TYPE);
  mustBe("predicateType", value["predicateType"], PREDICATE_TYPE);
  const { subject, predicate } = members(value, "statement", ["_type", "predicate", "predicateType", "subject"]);
  const p = members(predicate, "predicate", ["closed", "files", "main", "pluginId", "serial", "tree", "version"]);
  if (!Array.isArray(subject) || subject.length !== 1) throw malformed("it does not have exactly one subject");
  const s = members((subject as readonly Json[])[0], "subject", ["digest", "name"]);
  const digest = members(s["digest"], "subject.digest", ["sha256", "sha512"]);
  const id = text(p["pluginId"], "predicate.pluginId", /^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$/);
  const version = text(p["version"], "predicate.version", VERSION);
  if (s["name"] !== purlOf(id, version)) throw malformed("its subject and its predicate name different plugins");
  if (p["closed"] !== true) throw malformed("predicate.closed is not true");
  const files = filesOf(p["files"]);
  const main = text(p["main"], "predicate.main", /./);
  if (!files.some(([path]) => path === main)) throw malformed("predicate.main is not in the list of files");
  if (p["tree"] !== treeDigest(files)) throw malformed("predicate.tree is not the digest of the list of files");
  return {
    id,
    version,
    serial: positive(p["serial"], "predicate.serial"),
    bundle: `sha256:${text(digest["sha256"], "subject.digest.sha256", /^[0-9a-f]{64}$/)}`,
    sha512: text(digest["sha512"], "subject.digest.sha512", /^[0-9a-f]{128}$/),
    tree: treeDigest(files),
    main,
    files,
  };
}

/** Semantic versions, without build metadata: `+` means something else in a package URL. */
export const VERSION = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]{1,64})?$/;

/** The name of a bundle as a package URL: `pkg:openclaw/<id>@<version>`. */
export function purlOf(id: string, version: string): string {
  return `pkg:openclaw/${id}@${version}`;
}

/** DSSE's pre-authentication encoding (secure-systems-lab/dsse, protocol.md): the bytes a signature covers. */
export function paeOf(payloadType: string, payload: Uint8Array): Uint8Array {
  const type = Buffer.from(payloadType);
  return new Uint8Array(Buffer.concat([Buffer.from(`DSSEv1 ${type.length} `), type, Buffer.from(` ${payload.length} `), payload]));
}

/** Both digests a statement carries for an archive. */
export function archiveDigests(tgz: Uint8Array): { readonly bundle: Digest; readonly sha512: string } {
  return { bundle: digestFrom(createHash("sha256").update(tgz).digest()), sha512: createHash("sha512").update(tgz).digest("hex") };
}

function filesOf(value: Json | undefined): readonly TreeFile[] {
  if (!Array.isArray(value) || value.length === 0) throw malformed("predicate.files is not a list of files");
  const files = (value as readonly Json[]).map(fileOf);
  for (let i = 1; i < files.length; i++) {
    const [before, after] = [files[i - 1] as TreeFile, files[i] as TreeFile];
    if (Buffer.compare(Buffer.from(before[0]), Buffer.from(after[0])) >= 0) throw malformed("predicate.files is not sorted by path");
  }
  return files;
}

function fileOf(value: Json): TreeFile {
  const [path, mode, size, sha256, ...rest] = Array.isArray(value) ? (value as readonly Json[]) : [];
  const ok =
    typeof path === "string" &&
    path !== "" &&
    (mode === 0o644 || mode === 0o755) &&
    typeof size === "number" &&
    isDigest(sha256) &&
    rest.length === 0;
  if (!ok) throw malformed("an entry of predicate.files is not [path, mode, size, sha256]");
  return [path, mode, counter(size, "a size in predicate.files"), sha256];
}

function readJson(bytes: Uint8Array): Json {
  try {
    return readCanonical(bytes);
  } catch (cause) {
    throw malformed("it is not canonical JSON", cause);
  }
}

function members(value: Json | undefined, where: string, names: readonly string[]): JsonObject {
  if (!isJsonObject(value)) throw malformed(`${where} is not an object`);
  const have = Object.keys(value).sort();
  if (have.length !== names.length || have.some((name, i) => name !== names[i]))
    throw malformed(`${where} does not have exactly the members ${names.join(", ")}`);
  return value;
}

function text(value: Json | undefined, where: string, form: RegExp): string {
  if (typeof value !== "string" || !form.test(value)) throw malformed(`${where} is not of its form`);
  return value;
}

function counter(value: Json | undefined, where: string): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) throw malformed(`${where} is not a whole number`);
  return value;
}

/** A serial starts at 1, as a release's does. */
function positive(value: Json | undefined, where: string): number {
  if (counter(value, where) === 0) throw malformed(`${where} is zero`);
  return value as number;
}

function mustBe(where: string, found: Json | undefined, expected: string): void {
  if (found === expected) return;
  throw new MooringError("STATEMENT_TYPE_MISMATCH", "a signed statement", { why: `expected ${where} ${expected}, found ${quote(found)}` });
}

/** A value of hostile bytes, short and on one line. */
export function quote(value: unknown): string {
  const text = value === undefined ? "nothing" : (JSON.stringify(value) ?? "nothing");
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}

function malformed(why: string, cause?: unknown): MooringError {
  return new MooringError("BUNDLE_STATEMENT_MALFORMED", "a signed statement", { why, cause });
}
