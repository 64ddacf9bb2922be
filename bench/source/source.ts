import { mkdtempSync, rmSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type GitHttpServer, type Served, serveGit } from "#test/support/git-http.ts";
import { startChild } from "../child.ts";
import { median, rounded } from "../cpu.ts";
import type { FromHub, ToHub } from "./messages.ts";
import { type BenchRepo, commitOne, type Layout, makeBenchRepo } from "./repo.ts";
import { type SourceResult, tableOf } from "./report.ts";
import { measureWatch, newestCommits } from "./watch.ts";

type Flags = { readonly files: number; readonly commits: number; readonly runs: number; readonly layout: Layout; readonly json: boolean };

/** What following the fleet repo costs: nothing new, one file changed, a first start; and how soon a local change is noticed. */
export async function measureSource(words: readonly string[]): Promise<void> {
  const flags = flagsOf(words);
  const folder = mkdtempSync(join(tmpdir(), "bs-"));
  const stops: (() => Promise<void> | void)[] = [() => rmSync(folder, { recursive: true, force: true })];
  try {
    const result = await runSource(flags, folder, stops);
    process.stdout.write(flags.json ? `${JSON.stringify(result)}\n` : tableOf(result));
  } finally {
    for (const stop of stops.toReversed()) await stop();
  }
}

async function runSource(flags: Flags, folder: string, stops: (() => Promise<void> | void)[]): Promise<SourceResult> {
  process.stderr.write(`a fleet of ${flags.files} files and ${flags.commits} commits …\n`);
  const repo = await makeBenchRepo(folder, flags.files, flags.commits, flags.layout);
  const server = await serveGit(folder);
  stops.push(() => server.close());
  const config = { url: server.url("fleet.git"), gitdir: join(folder, "copy"), branch: "main", stateFile: join(folder, "verified.json") };
  const start = async (): Promise<ReturnType<typeof startChild<ToHub, FromHub>>> => {
    const hub = startChild<ToHub, FromHub>(join(import.meta.dirname, "hub.ts"));
    stops.push(hub.stop);
    return hub;
  };
  const hub = await start();
  const coldStart = await costing(server, () => hub.ask({ ask: "cold", config }));
  const restarted = await start();
  const restart = await costing(server, () => restarted.ask({ ask: "cold", config }));
  await restarted.stop();
  const poll = await polls(server, hub, flags.runs);
  const oneFile = await oneFiles(server, hub, repo, flags);
  await hub.stop();
  process.stderr.write("watching a local repository …\n");
  const watch = await measureWatch(repo.gitdir, config.stateFile, await newestCommits(repo.gitdir, 12));
  const { wallMs, cpuMs, rssMb } = coldStart.answer;
  return {
    files: flags.files,
    poll,
    oneFile,
    coldStart: {
      requests: coldStart.served.length,
      bytes: sentBy(coldStart.served),
      wallMs: rounded(wallMs),
      cpuMs: rounded(cpuMs),
      rssMb: rounded(rssMb),
    },
    restart: { bytes: sentBy(restart.served), cpuMs: rounded(restart.answer.cpuMs), rssMb: rounded(restart.answer.rssMb) },
    watch: { noticeMs: rounded(median(watch)), worstMs: rounded(Math.max(...watch)) },
    form: `git http-backend over HTTP on loopback, ${flags.commits} commits, machines in ${flags.layout === "flat" ? "one folder" : "50 folders"}; cold start = a new process until every file was read once, its whole CPU`,
    machine: { cpu: cpus()[0]?.model ?? "", cores: cpus().length, load: loadavg().map((load) => rounded(load)), node: process.version },
  };
}

type Hub = ReturnType<typeof startChild<ToHub, FromHub>>;

async function polls(server: GitHttpServer, hub: Hub, runs: number): Promise<SourceResult["poll"]> {
  const walls: number[] = [];
  const cpus: number[] = [];
  let served: readonly Served[] = [];
  for (let run = 0; run < runs; run++) {
    const polled = await costing(server, () => hub.ask({ ask: "poll" }));
    served = polled.served;
    walls.push(polled.answer.wallMs);
    cpus.push(polled.answer.cpuMs);
  }
  const refs = served.filter(({ method }) => method === "POST");
  return {
    requests: served.length,
    bytes: sentBy(served),
    refsBytes: sentBy(refs),
    wallMs: rounded(median(walls)),
    cpuMs: rounded(median(cpus)),
  };
}

async function oneFiles(server: GitHttpServer, hub: Hub, repo: BenchRepo, flags: Flags): Promise<SourceResult["oneFile"]> {
  const walls: number[] = [];
  const parses: number[] = [];
  let bytes = 0;
  for (let run = 1; run <= flags.runs; run++) {
    await commitOne(repo, flags.commits + run);
    const fetched = await costing(server, () => hub.ask({ ask: "one" }));
    if (fetched.answer.files !== 1) throw new Error("not one file changed");
    bytes = Math.max(bytes, sentBy(fetched.served));
    walls.push(fetched.answer.wallMs - fetched.answer.parseMs);
    parses.push(fetched.answer.parseMs);
  }
  return { bytes, fetchMs: rounded(median(walls)), parseMs: rounded(median(parses)), worstParseMs: rounded(Math.max(...parses)) };
}

async function costing(
  server: GitHttpServer,
  work: () => Promise<FromHub>,
): Promise<{ readonly answer: FromHub; readonly served: readonly Served[] }> {
  server.served.length = 0;
  const answer = await work();
  await new Promise((resolve) => setTimeout(resolve, 50)); // the server counts a request when its connection is done
  return { answer, served: [...server.served] };
}

function sentBy(served: readonly Served[]): number {
  return served.reduce((sum, { sent }) => sum + sent, 0);
}

function flagsOf(words: readonly string[]): Flags {
  const { values } = parseArgs({
    args: [...words],
    options: {
      files: { type: "string", default: "10000" },
      commits: { type: "string", default: "1000" },
      runs: { type: "string", default: "9" },
      layout: { type: "string", default: "sites" },
      json: { type: "boolean", default: false },
    },
  });
  if (values.layout !== "sites" && values.layout !== "flat") throw new Error("--layout sites or flat");
  const [files, commits, runs] = [values.files, values.commits, values.runs].map(Number);
  if (!(files! >= 100 && commits! >= 20 && runs! >= 1)) throw new Error("--files from 100, --commits from 20, --runs from 1");
  return { files: files!, commits: commits!, runs: runs!, layout: values.layout, json: values.json };
}
