import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { canonBytes, type Digest } from "#base/canonical/index.ts";
import { timeOf } from "#base/time/index.ts";
import { composeRelease, composeSecretsRelease, parseRelease, parseSecretsRelease } from "#proof/release/index.ts";
import { demandFleet, filesOf, loadFleet, type Resolved, resolve, rootsOf } from "#reconciler/desired/index.ts";
import { makeSourceLoop } from "#reconciler/hub/index.ts";
import { openSource, releaseFolder } from "#reconciler/source/index.ts";
import { fileSigner, type TestSigner } from "#test/proof/signer.ts";
import { goldenTree, type Tree } from "#test/support/fleet-tree.ts";
import { commitTo, makeBareRepo } from "#test/support/repo.ts";

const PEOPLE = ["a@acme.dev", "b@acme.dev", "security@acme.dev", "recovery@acme.dev", "ops@acme.dev"] as const;
export type Person = (typeof PEOPLE)[number];

/** A real fleet repo in a bare git repository, with people who sign its releases: the golden fleet under keys made here. */
export class RepoFleet {
  readonly folder: string;
  readonly gitdir: string;
  readonly signers: ReadonlyMap<string, TestSigner>;
  now = Date.parse("2026-11-25T10:00:00.000Z");
  tree: Tree;
  #last: { readonly doc: ReturnType<typeof parseRelease>; readonly bytes: Uint8Array } | null = null;
  #lastSecrets: { readonly doc: ReturnType<typeof parseSecretsRelease>; readonly bytes: Uint8Array } | null = null;

  private constructor(folder: string, gitdir: string, signers: ReadonlyMap<string, TestSigner>, tree: Tree) {
    this.folder = folder;
    this.gitdir = gitdir;
    this.signers = signers;
    this.tree = tree;
  }

  static async make(): Promise<RepoFleet> {
    const folder = await mkdtemp(join(tmpdir(), "mh-"));
    const signers = new Map<string, TestSigner>(PEOPLE.map((person) => [person, fileSigner()]));
    const lines = [...signers].map(([person, { key }]) => `${person} ${key}`);
    const tree = {
      ...goldenTree(),
      "trust/allowed_signers": `${lines.join("\n")}\nvault namespaces="mooring-secrets" ${fileSigner().key}\n`,
    };
    return new RepoFleet(folder, await makeBareRepo(folder), signers, tree);
  }

  /** Commits the tree with `changes` (null deletes) to main. */
  async commit(changes: Readonly<Record<string, string | null>> = {}): Promise<string> {
    const next: Record<string, string> = {};
    for (const [path, text] of Object.entries({ ...this.tree, ...changes })) if (text !== null) next[path] = text;
    this.tree = next;
    return commitTo(this.gitdir, { files: { ...this.tree, ...changes }, branch: "main", message: "change" });
  }

  async resolved(): Promise<Resolved> {
    return resolve(demandFleet(await loadFleet(filesOf(this.tree))));
  }

  /** Composes the release of the tree as it is, signed by `people`, and pushes it (and one for its secrets, when they changed). */
  async release(
    people: readonly Person[],
    options: { readonly expires?: number; readonly lifts?: readonly Digest[]; readonly resolver?: number } = {},
  ): Promise<void> {
    const resolved = await this.resolved();
    const roots = rootsOf(resolved);
    const times = { issued: timeOf(this.now), expires: timeOf(options.expires ?? this.now + 90 * 86_400_000) };
    const bytes = composeRelease({
      fleet: "acme",
      prev: this.#last,
      resolver: options.resolver ?? 1,
      roots: roots.classes,
      trustLeaf: roots.trust,
      lifts: options.lifts ?? [],
      ...times,
    });
    const files = this.#signed(
      releaseFolder("release", parseRelease(bytes, "acme").serial, bytes),
      "release.json",
      bytes,
      "mooring-release",
      people,
    );
    files[`${releaseFolder("release", parseRelease(bytes, "acme").serial, bytes)}/trust.json`] = canonBytes(resolved.trust);
    this.#last = { doc: parseRelease(bytes, "acme"), bytes };
    if (this.#lastSecrets?.doc.root !== roots.secrets.root) {
      const secrets = composeSecretsRelease({ fleet: "acme", prev: this.#lastSecrets, secrets: roots.secrets, ...times });
      this.#lastSecrets = { doc: parseSecretsRelease(secrets, "acme"), bytes: secrets };
      const folder = releaseFolder("secrets", this.#lastSecrets.doc.serial, secrets);
      Object.assign(files, this.#signed(folder, "release-secrets.json", secrets, "mooring-secrets", people));
    }
    await this.push(files);
  }

  push(files: Readonly<Record<string, Uint8Array | string>>): Promise<string> {
    return commitTo(this.gitdir, { files, branch: "mooring/releases", message: "release" });
  }

  #signed(
    folder: string,
    name: string,
    bytes: Uint8Array,
    namespace: string,
    people: readonly Person[],
  ): Record<string, Uint8Array | string> {
    const sigs = people.map((person) => [`${folder}/${person}.sig`, this.signers.get(person)?.sign(bytes, namespace) ?? ""] as const);
    return { [`${folder}/${name}`]: bytes, ...Object.fromEntries(sigs) };
  }

  /** A source loop on this repo, as a hub with folder `name` would have; the same name again is that hub restarted. */
  async loop(name = "hub", pin?: Digest, witness: Parameters<typeof makeSourceLoop>[0]["witness"] = null) {
    const source = await openSource({
      url: this.gitdir,
      gitdir: join(this.folder, `${name}.git`),
      branch: "main",
      stateFile: join(this.folder, name, "last-verified.json"),
    });
    return makeSourceLoop({ source, pin: pin ?? (await this.resolved()).trustLeaf, version: "0.1.0", clock: () => this.now, witness });
  }

  async close(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}
