/** The process that is measured: opens the source and reads it, as a hub does. What is not part of the source is loaded when it is asked for. */
import { type Oid, openSource, type Source } from "#reconciler/source/index.ts";
import { answerWith } from "../child.ts";
import type { FromHub, ToHub } from "./messages.ts";

let source: Source | null = null;
let main: Oid = "";

const opened = (): Source => {
  if (source === null) throw new Error("ask for the cold start first");
  return source;
};

/** Opens, downloads, and reads every file once. */
async function cold(config: (ToHub & { ask: "cold" })["config"]): Promise<number> {
  source = await openSource(config);
  main = (await source.poll()).main ?? "";
  const tree = await source.readTree(main);
  for (const { oid } of tree.values()) await source.readBlob(oid);
  return tree.size;
}

/** Fetches; then, timed apart, finds what changed and parses it. */
async function one(): Promise<{ files: number; parseMs: number }> {
  const { filesOf, loadFleet } = await import("#reconciler/desired/index.ts");
  const before = main;
  main = (await opened().poll()).main ?? "";
  const start = performance.now();
  const changes = await opened().diffTrees(before, main);
  const documents: Record<string, string> = {};
  for (const { path, after } of changes)
    if (after !== null) documents[path] = Buffer.from(await opened().readBlob(after.oid)).toString("utf8");
  const { findings } = await loadFleet(filesOf(documents));
  if (findings.some(({ file }) => file !== "fleet.yaml")) throw new Error("the changed document was not read");
  return { files: changes.length, parseMs: performance.now() - start };
}

async function answer(question: ToHub): Promise<FromHub> {
  const start = performance.now();
  const cpu = question.ask === "cold" ? { user: 0, system: 0 } : process.cpuUsage(); // of a cold start: all since the process began
  const done = { files: 0, parseMs: 0 };
  switch (question.ask) {
    case "cold":
      done.files = await cold(question.config);
      break;
    case "poll":
      if ((await opened().poll()).changed) throw new Error("an unchanged poll says that something changed");
      break;
    case "one":
      Object.assign(done, await one());
      break;
    default:
      question satisfies never;
  }
  const { user, system } = process.cpuUsage();
  const cpuMs = (user + system - cpu.user - cpu.system) / 1000;
  return { ...done, wallMs: performance.now() - start, cpuMs, rssMb: process.resourceUsage().maxRSS / 1024 };
}

answerWith(answer, () => Promise.resolve());
