/** A job of a forge: a clone of the golden fleet with a change, the event's file, the variables, and a folder for what is written. */
import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { ciPlan, ciPost } from "#cli/ci/index.ts";
import { GIT_ENV } from "#test/support/repo.ts";
import { CliBench } from "#test/cli/bench.ts";
import { BOT, FakeForge, TOKEN } from "./forge.ts";

type Env = Record<string, string | undefined>;

export class Job {
  readonly bench: CliBench;
  readonly forge: FakeForge;
  readonly base: string;
  readonly head: string;
  readonly dir: string;
  readonly out: string;
  readonly waits: number[] = [];
  env: Env;

  private constructor(bench: CliBench, forge: FakeForge, base: string, head: string) {
    [this.bench, this.forge, this.base, this.head] = [bench, forge, base, head];
    [this.dir, this.out] = [join(bench.folder, "job"), join(bench.folder, "out")];
    this.env = {};
  }

  /** A pull request numbered 42 with `changes`, ready to run. */
  static async make(t: TestContext, changes: (bench: CliBench) => Readonly<Record<string, string | null>>): Promise<Job> {
    const bench = await CliBench.make(t, "local");
    const head = await bench.branch("change", changes(bench));
    const base = await bench.commit({ "README.md": "main\n" });
    const job = new Job(bench, await FakeForge.start(t), base, head);
    await git("clone", "--quiet", `file://${bench.gitdir}`, job.dir);
    mkdirSync(job.out, { recursive: true });
    job.pullRequest();
    return job;
  }

  /** What a later run of the same job finds. */
  fetch(): Promise<void> {
    return git("-C", this.dir, "fetch", "--quiet");
  }

  pullRequest(more: { readonly fork?: boolean; readonly name?: string; readonly ref?: string } = {}): void {
    const repo = more.fork === true ? "stranger/fleet" : "acme/fleet";
    this.event(more.name ?? "pull_request", {
      repository: { full_name: "acme/fleet" },
      pull_request: { number: 42, base: { sha: this.base, ref: more.ref ?? "main" }, head: { sha: this.head, repo: { full_name: repo } } },
    });
  }

  event(name: string, event: unknown): void {
    const path = join(this.bench.folder, "event.json");
    writeFileSync(path, JSON.stringify(event));
    this.env = {
      GITHUB_EVENT_NAME: name,
      GITHUB_EVENT_PATH: path,
      GITHUB_API_URL: this.forge.url,
      GITHUB_SERVER_URL: "https://forge.example",
      GITHUB_RUN_ID: "7",
      GITHUB_TOKEN: TOKEN,
      GITHUB_STEP_SUMMARY: join(this.bench.folder, "summary.md"),
      GITHUB_OUTPUT: join(this.bench.folder, "output"),
    };
  }

  async plan(): Promise<string> {
    const { GITHUB_TOKEN: _none, ...env } = this.env; // it needs no token
    const options = { repo: this.dir, out: this.out, trustRoot: null };
    return (await this.bench.run((io) => ciPlan(options, env, io.out, this.bench.deps))).text;
  }

  async post(bot = BOT): Promise<string> {
    const deps = { clock: () => this.bench.now, random: () => 0.5, sleep: (ms: number) => Promise.resolve(void this.waits.push(ms)) };
    return (await this.bench.run((io) => ciPost({ out: this.out, bot }, this.env, io.out, deps))).text;
  }

  read(name: string): string {
    return readFileSync(join(this.out, name), "utf8");
  }

  written(name: "GITHUB_STEP_SUMMARY" | "GITHUB_OUTPUT"): string {
    return readFileSync(this.env[name]!, "utf8");
  }
}

function git(...args: readonly string[]): Promise<void> {
  const env = { ...GIT_ENV, GIT_CONFIG_COUNT: "2", GIT_CONFIG_KEY_1: "protocol.file.allow", GIT_CONFIG_VALUE_1: "always" };
  return new Promise((resolve, reject) => {
    execFile("git", [...args], { env }, (err) => (err === null ? resolve() : reject(err)));
  });
}
