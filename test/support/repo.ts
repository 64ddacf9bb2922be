/** Real bare repositories for tests and the demo, written by the git program itself. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

/** What git reads from the machine it runs on is shut out, so tests see the same git everywhere. */
export const GIT_ENV: NodeJS.ProcessEnv = {
  PATH: process.env["PATH"],
  HOME: "/nonexistent",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_COUNT: "1",
  GIT_CONFIG_KEY_0: "safe.directory",
  GIT_CONFIG_VALUE_0: "*",
  GIT_AUTHOR_NAME: "Ann",
  GIT_AUTHOR_EMAIL: "ann@example.net",
  GIT_COMMITTER_NAME: "Ann",
  GIT_COMMITTER_EMAIL: "ann@example.net",
  LC_ALL: "C",
};

export type CommitOptions = {
  /** Path → content; null deletes. A symbolic link or another mode is `{ mode, content }`. */
  readonly files: Readonly<Record<string, FileContent | null>>;
  readonly branch?: string;
  readonly message?: string;
  /** Where the new commit stands; default: the branch's tip. `[]` makes a root commit, and moves the branch there by force. */
  readonly parents?: readonly string[];
  /** Path of an SSH private key: the commit is signed as `git commit -S` does. */
  readonly signKey?: string;
  /** Seconds since 1970; default: a fixed time that grows with nothing, so equal commits get equal ids. */
  readonly at?: number;
};

export type FileContent = string | Uint8Array | { readonly mode: "100644" | "100755" | "120000"; readonly content: string };

/** Output of `git <args>` in `gitdir`, without the last line break; rejects with git's own complaint. */
export function git(gitdir: string, ...args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile("git", ["--git-dir", gitdir, ...args], { env: GIT_ENV, maxBuffer: 1 << 28 }, (err, stdout, stderr) => {
      if (err === null) resolve(stdout.replace(/\n$/, ""));
      else reject(new Error(`git ${args.join(" ")}: ${stderr}`));
    });
  });
}

/** A new bare repository with default branch main that smart HTTP may also push to; gives back its path. */
export async function makeBareRepo(folder: string, name = "fleet.git"): Promise<string> {
  const gitdir = join(folder, name);
  await git(gitdir, "init", "--quiet", "--bare", "--initial-branch=main");
  await git(gitdir, "config", "http.receivepack", "true");
  return gitdir;
}

/** Commits `files` on top of the branch and gives back the new commit's id; one or two runs of git, no checkout. */
export async function commitTo(gitdir: string, options: CommitOptions): Promise<string> {
  const branch = options.branch ?? "main";
  const parents = options.parents ?? (await tipOf(gitdir, branch));
  if (options.signKey === undefined) return fastImport(gitdir, `refs/heads/${branch}`, parents, options);
  const draft = "refs/drafts/signed";
  const unsigned = await fastImport(gitdir, draft, parents, options);
  const signed = await signAgain(gitdir, unsigned, parents, options.signKey, options.message ?? "change");
  await git(gitdir, "update-ref", `refs/heads/${branch}`, signed);
  await git(gitdir, "update-ref", "-d", draft);
  return signed;
}

/** A merge commit of `ours` and `theirs` with the tree git itself makes of them; rejects on a conflict. Needs git 2.38. */
export async function mergeTo(gitdir: string, branch: string, ours: string, theirs: string, signKey?: string): Promise<string> {
  const tree = await git(gitdir, "merge-tree", "--write-tree", ours, theirs);
  const sign = signKey === undefined ? [] : signFlags(signKey);
  const args = ["-p", ours, "-p", theirs, "-m", "merge", ...(signKey === undefined ? [] : ["-S"])];
  const oid = await git(gitdir, ...sign, "commit-tree", tree, ...args);
  await git(gitdir, "update-ref", `refs/heads/${branch}`, oid);
  return oid;
}

/** The id `branch` points at, or null. */
export async function branchTip(gitdir: string, branch = "main"): Promise<string | null> {
  return (await tipOf(gitdir, branch))[0] ?? null;
}

async function tipOf(gitdir: string, branch: string): Promise<string[]> {
  const line = await git(gitdir, "for-each-ref", "--format=%(objectname)", `refs/heads/${branch}`);
  return line === "" ? [] : [line];
}

function signFlags(key: string): string[] {
  return ["-c", "gpg.format=ssh", "-c", `user.signingkey=${key}`];
}

async function signAgain(gitdir: string, draft: string, parents: readonly string[], key: string, message: string): Promise<string> {
  const flags = parents.flatMap((parent) => ["-p", parent]);
  return git(gitdir, ...signFlags(key), "commit-tree", `${draft}^{tree}`, ...flags, "-S", "-m", message);
}

async function fastImport(gitdir: string, ref: string, parents: readonly string[], options: CommitOptions): Promise<string> {
  const child = spawn("git", ["--git-dir", gitdir, "fast-import", "--quiet", "--force"], {
    env: GIT_ENV,
    stdio: ["pipe", "inherit", "inherit"],
  });
  child.stdin.end(importStream(ref, parents, options));
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0) throw new Error(`git fast-import ended with ${code}`);
  return git(gitdir, "rev-parse", ref);
}

function importStream(ref: string, parents: readonly string[], options: CommitOptions): Buffer {
  const out: Buffer[] = [];
  const line = (text: string): number => out.push(Buffer.from(`${text}\n`));
  const blob = (content: Uint8Array | string): void => {
    const bytes = Buffer.from(content);
    line(`data ${bytes.length}`);
    out.push(bytes, Buffer.from("\n"));
  };
  if (parents.length === 0) line(`reset ${ref}\n`);
  line(`commit ${ref}`);
  line(`committer Ann <ann@example.net> ${options.at ?? 1_790_000_000} +0000`);
  blob(`${options.message ?? "change"}\n`);
  parents.forEach((parent, i) => line(`${i === 0 ? "from" : "merge"} ${parent}`));
  for (const [path, file] of Object.entries(options.files)) {
    if (file === null) line(`D ${path}`);
    else {
      const plain = typeof file === "string" || file instanceof Uint8Array;
      line(`M ${plain ? "100644" : file.mode} inline ${path}`);
      blob(plain ? file : file.content);
    }
  }
  line("done");
  return Buffer.concat(out);
}
