import { spawn } from "node:child_process";
import { hash } from "node:crypto";
import { once } from "node:events";
import { goldenTree } from "#test/support/fleet-tree.ts";
import { GIT_ENV, makeBareRepo } from "#test/support/repo.ts";

/** `sites`: 50 folders of machines; `flat`: all in one folder, where each commit writes a large tree object. */
export type Layout = "sites" | "flat";

const SITES = 50;
const START = 1_700_000_000;

export type BenchRepo = {
  readonly gitdir: string;
  readonly machines: readonly string[];
  readonly textOf: (path: string, revision: number) => string;
};

/** A bare repository `fleet.git` in `folder`: a valid fleet of `files` files, then `commits` commits that change one machine each, and a releases
 *  branch of a hundred entries. */
export async function makeBenchRepo(folder: string, files: number, commits: number, layout: Layout): Promise<BenchRepo> {
  const gitdir = await makeBareRepo(folder);
  const golden = Object.entries(goldenTree());
  const template = golden.find(([path]) => path === "machines/mini-01.yaml")?.[1] ?? "";
  const machines = Array.from({ length: files - golden.length }, (_, i) => pathOf(i, layout));
  const textOf = (path: string, revision: number): string => machineText(template, path, revision);
  const stream = new ImportStream();
  stream.commit("refs/heads/main", START, [...golden, ...machines.map((path) => [path, textOf(path, 0)] as const)]);
  for (let n = 1; n <= commits; n++) {
    const path = machines[(n * 7919) % machines.length] ?? "";
    stream.commit("refs/heads/main", START + n * 600, [[path, textOf(path, n)]]);
  }
  for (let n = 1; n <= 100; n++) {
    const entry = `${n}-${n.toString(16).padStart(8, "0")}`;
    stream.commit("refs/heads/mooring/releases", START + n * 600, [[`${entry}/release.json`, `{"serial":${n}}\n`.repeat(40)]]);
  }
  await stream.into(gitdir);
  return { gitdir, machines, textOf };
}

/** Commits one change of one machine on top of main, by one run of git. */
export async function commitOne({ gitdir, machines, textOf }: BenchRepo, revision: number): Promise<string> {
  const path = machines[(revision * 104_729) % machines.length] ?? "";
  const stream = new ImportStream();
  stream.commit("refs/heads/main", START + revision * 600, [[path, textOf(path, revision)]], "refs/heads/main^0");
  await stream.into(gitdir);
  return path;
}

function pathOf(i: number, layout: Layout): string {
  const name = `m-${String(i).padStart(5, "0")}.yaml`;
  return layout === "flat" ? `machines/${name}` : `machines/site-${String(i % SITES).padStart(2, "0")}/${name}`;
}

function machineText(template: string, path: string, revision: number): string {
  const name = /([^/]+)\.yaml$/.exec(path)?.[1] ?? "";
  const keys = hash("sha512", name, "base64") + hash("sha512", `${name}!`, "base64"); // a real machine's keys compress no better
  return `# revision ${revision} of ${name}\n# ${keys}\n${template.replaceAll("mini-01", name)}`;
}

class ImportStream {
  readonly #parts: string[] = [];
  readonly #started = new Set<string>();

  commit(ref: string, at: number, files: readonly (readonly [string, string])[], from?: string): void {
    this.#parts.push(`commit ${ref}\ncommitter Ann <ann@example.net> ${at} +0000\ndata 7\nchange\n`);
    if (from !== undefined && !this.#started.has(ref)) this.#parts.push(`from ${from}\n`);
    this.#started.add(ref);
    for (const [path, text] of files) this.#parts.push(`M 100644 inline ${path}\ndata ${Buffer.byteLength(text)}\n${text}\n`);
  }

  async into(gitdir: string): Promise<void> {
    const child = spawn("git", ["--git-dir", gitdir, "fast-import", "--quiet", "--force"], {
      env: GIT_ENV,
      stdio: ["pipe", "inherit", "inherit"],
    });
    child.stdin.end(`${this.#parts.join("")}done\n`);
    const [code] = (await once(child, "close")) as [number | null];
    if (code !== 0) throw new Error(`git fast-import ended with ${code}`);
  }
}
