import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { Digest } from "#base/canonical/index.ts";
import type { Io } from "#cli/io.ts";
import { approve, plan, release } from "#cli/release/index.ts";
import { revoke } from "#cli/revoke.ts";
import { trustRoot } from "#cli/trust-root.ts";
import { timeOf } from "#base/time/index.ts";
import { VERSION } from "#cli/version.ts";
import type { ReleaseDoc } from "#proof/release/index.ts";
import { branchOf, outcomeReader, selectTarget } from "#reconciler/revision/index.ts";
import { openSource } from "#reconciler/source/index.ts";
import { newPerson, type Person } from "#test/support/fleet-fixture.ts";
import { goldenTree, type Tree } from "#test/support/fleet-tree.ts";
import { type GitHttpServer, serveGit } from "#test/support/git-http.ts";
import { type CommitOptions, commitTo, git, makeBareRepo } from "#test/support/repo.ts";

const PEOPLE = ["a@acme.dev", "b@acme.dev", "security@acme.dev", "recovery@acme.dev", "ops@acme.dev"] as const;
export type Who = (typeof PEOPLE)[number];
export const START = Date.parse("2026-11-25T10:00:00.000Z");

export type Ran = { readonly code: number; readonly text: string };

/** The golden fleet in a bare repository behind real smart HTTP (or straight from the disk); people with ssh-keygen keys, each with a cache folder of their own. */
export class CliBench {
  readonly folder: string;
  readonly gitdir: string;
  readonly server: GitHttpServer | null;
  readonly people: ReadonlyMap<string, Person>;
  tree: Tree;
  now = START;

  private constructor(folder: string, gitdir: string, server: GitHttpServer | null, people: ReadonlyMap<string, Person>, tree: Tree) {
    this.folder = folder;
    this.gitdir = gitdir;
    this.server = server;
    this.people = people;
    this.tree = tree;
  }

  static async make(t: TestContext, kind: "http" | "local" = "http"): Promise<CliBench> {
    const folder = await mkdtemp(join(tmpdir(), "cli-"));
    const gitdir = await makeBareRepo(folder);
    const server = kind === "http" ? await serveGit(folder) : null;
    t.after(async () => {
      await server?.close();
      await rm(folder, { recursive: true, force: true });
    });
    const people = new Map(PEOPLE.map((name) => [name as string, newPerson(folder, name)]));
    const vault = newPerson(folder, "vault");
    const lines = [...people.values()].map(({ name, key }) => `${name} ${key}\n`).join("");
    const tree = { ...goldenTree(), "trust/allowed_signers": `${lines}vault namespaces="mooring-secrets" ${vault.key}\n` };
    const bench = new CliBench(folder, gitdir, server, people, tree);
    await bench.commit({});
    return bench;
  }

  get url(): string {
    return this.server?.url("fleet.git") ?? this.gitdir;
  }

  /** Commits to main, or to `more.branch`, which then starts at main where it is new. The tree follows main only. */
  async commit(changes: Readonly<Record<string, string | null>>, more: Partial<CommitOptions> = {}): Promise<string> {
    const isMain = more.branch === undefined || more.branch === "main";
    const first = Object.keys(changes).length === 0;
    const oid = await commitTo(this.gitdir, { files: first ? this.tree : changes, ...more });
    if (isMain)
      this.tree = Object.fromEntries(Object.entries({ ...this.tree, ...changes }).filter((e): e is [string, string] => e[1] !== null));
    return oid;
  }

  /** A branch off main with `changes` in one commit. */
  async branch(name: string, changes: Readonly<Record<string, string | null>>): Promise<string> {
    return this.commit(changes, { branch: name, parents: [await git(this.gitdir, "rev-parse", "refs/heads/main")] });
  }

  options(who: Who) {
    return { source: this.url, cache: join(this.folder, `cache-${who}`), key: this.people.get(who)!.keyFile, as: who };
  }

  async root(): Promise<Digest> {
    const ran = await this.run((io) => trustRoot({ source: this.url, cache: join(this.folder, "cache-reader") }, io.out));
    return ran.text.trim() as Digest;
  }

  release(who: Who, more: Partial<Parameters<typeof release>[0]> = {}): Promise<Ran> {
    const options = { ...this.options(who), lifts: [], renew: false, yes: true, ...more };
    return this.run((io) => release(options, io, this.deps));
  }

  approve(who: Who, revision: string, more: Partial<Parameters<typeof approve>[0]> = {}): Promise<Ran> {
    const options = { ...this.options(who), revision, lifts: [], renew: false, yes: true, ...more };
    return this.run((io) => approve(options, io, this.deps));
  }

  plan(more: Partial<Parameters<typeof plan>[0]> = {}): Promise<Ran> {
    const options = { ...this.options("b@acme.dev"), cache: join(this.folder, "cache-plan"), output: "text" as const, ...more };
    return this.run((io) => plan(options, io.out, this.deps));
  }

  revoke(who: Who, target: string, more: Partial<Parameters<typeof revoke>[0]> = {}): Promise<Ran> {
    const options = { ...this.options(who), target, reason: "leaked", machines: "all" as const, ...more };
    return this.run((io) => revoke(options, io.out, this.deps));
  }

  /** Everybody whose signature the first release needs; root is pinned by each. */
  async releaseAll(): Promise<Digest> {
    const root = await this.root();
    for (const who of ["a@acme.dev", "b@acme.dev", "security@acme.dev"] as const) await this.release(who, { trustRoot: root });
    return root;
  }

  get deps() {
    return { clock: () => this.now, random: () => 0.5 };
  }

  async run(work: (io: Io) => Promise<number>): Promise<Ran> {
    let text = "";
    const code = await work({ out: { write: (part) => (text += part) }, ask: null });
    return { code, text };
  }
}

/** What the hub would run: main's newest covered commit, from the trust root of the first commit, or from what it ran `before`. */
export async function selected(
  bench: CliBench,
  pin?: Digest,
  before?: { readonly since: string; readonly serial: number },
): Promise<{ readonly revision: string; readonly serial: number }> {
  const folder = await mkdtemp(join(bench.folder, "hub-"));
  const source = await openSource({
    url: bench.gitdir,
    gitdir: join(folder, "source.git"),
    branch: "main",
    stateFile: join(folder, "verified.json"),
  });
  const { main, releases } = await source.poll();
  const branch = branchOf(await source.readReleases(releases!), "acme");
  const { target } = await selectTarget({
    source,
    reader: outcomeReader(source, VERSION),
    head: main!,
    since: before?.since ?? null,
    minSecrets: 0,
    minSerial: before?.serial ?? 0,
    branchFor: () => branch,
    holds: { pin: pin ?? (await bench.root()) },
    now: timeOf(bench.now),
  });
  if (target === null) throw new Error("nothing is selected");
  return { revision: target.outcome.revision, serial: target.cover.head.release.doc.serial };
}

/** The document of the newest release on the branch, or of a serial, taken as it lies there. */
export async function latest(bench: CliBench, serial?: number): Promise<ReleaseDoc> {
  const folder = await mkdtemp(join(bench.folder, "look-"));
  const source = await openSource({
    url: bench.gitdir,
    gitdir: join(folder, "source.git"),
    branch: "main",
    stateFile: join(folder, "verified.json"),
  });
  const branch = branchOf(await source.readReleases((await source.poll()).releases!), "acme");
  const signed = branch.releases.filter(
    ({ release }) => release.signers().length > 0 && (serial === undefined || release.doc.serial === serial),
  );
  return signed[0]!.release.doc;
}

/** The indented lines below a heading, trimmed. */
export function linesOf({ text }: Ran, heading: string): readonly string[] {
  const lines = text.split("\n");
  const after = lines.slice(lines.indexOf(heading) + 1);
  return after
    .slice(
      0,
      after.findIndex((line) => !line.startsWith("  ")),
    )
    .map((line) => line.trim());
}
