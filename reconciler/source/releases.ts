import { digestOf } from "#base/canonical/index.ts";
import { hasCode } from "#base/errors/index.ts";
import type { Objects, Oid } from "./objects.ts";
import type { TreeItem } from "./parse.ts";

/** One folder of the branch: a document, and who signed it (principal → armored SSHSIG, file name → JSON of a workflow's). Nothing is verified: documents prove themselves. */
export type SignedEntry = {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly signers: ReadonlyMap<string, string>;
  readonly sigs: readonly string[];
};

export type ReleaseEntry = SignedEntry & {
  /** Canonical bytes of the trust section, only with releases that change trust. */
  readonly trust: Uint8Array | null;
};

/** Why an entry of the branch was left out; for status, never a reason to stop. */
export type ReleaseFinding = { readonly path: string; readonly why: string };

export type Releases = {
  readonly releases: readonly ReleaseEntry[];
  readonly secrets: readonly SignedEntry[];
  readonly statements: readonly SignedEntry[];
  readonly findings: readonly ReleaseFinding[];
};

/** Where release documents are. */
export const RELEASES_BRANCH = "mooring/releases";

export const MAX_ENTRY_BYTES = 64 << 10; // measured: a release of 10,000 machines has 2 kB
const MAX_ENTRIES = 10_000;
const MAX_SIGNATURES = 64;
/** Of all entries together: each signature is verified (0.1 ms), and all of it is held in memory. */
const MAX_ALL_SIGNATURES = 30_000;
const MAX_ALL_BYTES = 256 << 20;
const MAX_FINDINGS = 100;

const RELEASE = /^([1-9]\d{0,15})-([0-9a-f]{8})$/;
const SECRETS = /^secrets-([1-9]\d{0,15})-([0-9a-f]{8})$/;
const STATEMENT = /^([0-9a-f]{8})$/;
/** A workflow's signature, and the trusted root it is verified under: whose digest the trust section names is for the verifier to say. */
const WORKFLOW = /^([A-Za-z0-9][A-Za-z0-9._@+-]{0,127}\.sigstore\.json|trusted_root(?:\.[0-9a-f]{8})?\.json)$/;
const SIGNATURE = /^([A-Za-z0-9][A-Za-z0-9._@+-]{0,127})\.sig$/;

/** Folder of a release on the branch: its serial and the first 8 hex digits of its digest. Pure. */
export function releaseFolder(kind: "release" | "secrets", serial: number, bytes: Uint8Array): string {
  return `${kind === "secrets" ? "secrets-" : ""}${serial}-${digest8(bytes)}`;
}

/** Folder of a statement on the branch. Pure. */
export function statementFolder(bytes: Uint8Array): string {
  return `statements/${digest8(bytes)}`;
}

/** What the tree object `root` of the branch offers, newest serial first. Anybody may have written there: names that aren't ours are passed
 *  over; what is too big, too much or doesn't hash to its folder's name is left out with a finding and costs no other entry. */
export async function readReleases(objects: Objects, root: Oid): Promise<Releases> {
  const reader = new Reader(objects);
  const releases: ReleaseEntry[] = [];
  const secrets: SignedEntry[] = [];
  const statements: SignedEntry[] = [];
  const items = (await objects.tree(root)).filter((item) => item.mode === "40000");
  for (const item of newestFirst(items, RELEASE)) {
    const entry = await reader.entry(item, "", "release.json", RELEASE);
    if (entry !== null) releases.push({ ...entry.signed, trust: await reader.optional(entry.files, item.name, "trust.json") });
  }
  for (const item of newestFirst(items, SECRETS)) {
    const entry = await reader.entry(item, "", "release-secrets.json", SECRETS);
    if (entry !== null) secrets.push(entry.signed);
  }
  for (const item of await reader.folder(items.find(({ name }) => name === "statements"))) {
    const entry = await reader.entry(item, "statements/", "action.json", STATEMENT);
    if (entry !== null) statements.push(entry.signed);
  }
  return { releases, secrets, statements, findings: reader.findings };
}

class Reader {
  readonly findings: ReleaseFinding[] = [];
  readonly #objects: Objects;
  #count = 0;
  #signatures = 0;
  #bytes = 0;

  constructor(objects: Objects) {
    this.#objects = objects;
  }

  async folder(item: TreeItem | undefined): Promise<readonly TreeItem[]> {
    return item === undefined ? [] : await this.#objects.tree(item.oid);
  }

  async entry(
    item: TreeItem,
    prefix: string,
    document: string,
    form: RegExp,
  ): Promise<{ signed: SignedEntry; files: readonly TreeItem[] } | null> {
    const match = form.exec(item.name);
    if (match === null || item.mode !== "40000") return null;
    const path = prefix + item.name;
    if (++this.#count > MAX_ENTRIES) return this.#leaveOut(path, `more than ${MAX_ENTRIES} entries`);
    const files = await this.#objects.tree(item.oid);
    const bytes = await this.optional(files, path, document);
    if (bytes === null) return null;
    if (digest8(bytes) !== match.at(-1)) return this.#leaveOut(path, `${document} is not what the folder's name says`);
    const signers = await this.#signaturesIn(files, path);
    return { signed: { name: path, bytes, signers, sigs: [...signers.values()] }, files };
  }

  /** A file of an entry, or null where it is missing or can't be taken. */
  async optional(files: readonly TreeItem[], path: string, name: string): Promise<Uint8Array | null> {
    const item = files.find((file) => file.name === name);
    if (item === undefined) return null;
    if (!item.mode.startsWith("100")) return this.#leaveOut(`${path}/${name}`, "not a plain file");
    try {
      const bytes = await this.#objects.blob(item.oid);
      if (bytes.length > MAX_ENTRY_BYTES) return this.#leaveOut(`${path}/${name}`, `more than ${MAX_ENTRY_BYTES} bytes`);
      this.#bytes += bytes.length;
      return this.#bytes <= MAX_ALL_BYTES ? bytes : this.#leaveOut(`${path}/${name}`, `more than ${MAX_ALL_BYTES} bytes in all`);
    } catch (err) {
      if (hasCode(err, "SOURCE_TOO_LARGE")) return this.#leaveOut(`${path}/${name}`, `more than ${MAX_ENTRY_BYTES} bytes`);
      throw err;
    }
  }

  async #signaturesIn(files: readonly TreeItem[], path: string): Promise<ReadonlyMap<string, string>> {
    const signers = new Map<string, string>();
    for (const file of files) {
      const principal = SIGNATURE.exec(file.name)?.[1] ?? WORKFLOW.exec(file.name)?.[1];
      if (principal === undefined) continue;
      if (signers.size >= MAX_SIGNATURES || ++this.#signatures > MAX_ALL_SIGNATURES) {
        this.#leaveOut(`${path}/${file.name}`, `more than ${MAX_SIGNATURES} signatures, or ${MAX_ALL_SIGNATURES} in all`);
        break;
      }
      const bytes = await this.optional(files, path, file.name);
      const name = signers.has(principal) ? file.name : principal; // `ci.sigstore.json.sig` must not take the place of `ci.sigstore.json`
      if (bytes !== null) signers.set(name, Buffer.from(bytes).toString("utf8"));
    }
    return signers;
  }

  #leaveOut(path: string, why: string): null {
    if (this.findings.length < MAX_FINDINGS) this.findings.push({ path, why });
    return null;
  }
}

function newestFirst(items: readonly TreeItem[], form: RegExp): readonly TreeItem[] {
  const serial = (item: TreeItem): number => Number(form.exec(item.name)?.[1] ?? 0);
  return items.filter(({ name }) => form.test(name)).sort((a, b) => serial(b) - serial(a));
}

function digest8(bytes: Uint8Array): string {
  return digestOf(bytes).slice("sha256:".length, "sha256:".length + 8);
}
