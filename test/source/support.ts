import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { openSource, type Source, type SourceConfig } from "#reconciler/source/index.ts";
import { type GitHttpServer, serveGit } from "#test/support/git-http.ts";
import { makeBareRepo } from "#test/support/repo.ts";

export type Bench = { readonly folder: string; readonly gitdir: string; readonly stateFile: string; readonly server: GitHttpServer };

/** A bare repository behind real smart HTTP, and a folder of our own; all gone after the test. */
export async function makeBench(t: TestContext, token?: string): Promise<Bench> {
  const folder = await mkdtemp(join(tmpdir(), "src-"));
  const gitdir = await makeBareRepo(folder);
  const server = await serveGit(folder, token === undefined ? {} : { token });
  t.after(async () => {
    await server.close();
    await rm(folder, { recursive: true, force: true });
  });
  return { folder, gitdir, stateFile: join(folder, "state/verified.json"), server };
}

/** The bench's repository over HTTP, or straight from the disk. */
export function openBench(bench: Bench, kind: "http" | "local", more: Partial<SourceConfig> = {}): Promise<Source> {
  const url = kind === "http" ? bench.server.url("fleet.git") : bench.gitdir;
  return openSource({ url, gitdir: join(bench.folder, "copy"), branch: "main", stateFile: bench.stateFile, timeoutMs: 20_000, ...more });
}

export const PUSH_DEPS = { now: () => 1_790_000_000_000, random: () => 0.5 };

export const AUTHOR = { name: "Ann", email: "ann@example.net" };
