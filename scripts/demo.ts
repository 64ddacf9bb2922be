/** `npm run demo`: a fleet of three machines on this one, from an empty folder to an audited secret. With --once it ends after the story; with --json
 *  too it prints one JSON object and nothing else on stdout. */
import { buildOutputs } from "./build.ts";
import { next } from "./demo/next.ts";
import { faultsIn, type Report, reportOf } from "./demo/report.ts";
import { tell } from "./demo/show.ts";
import { setStage } from "./demo/stand.ts";
import type { Say, Stage } from "./demo/stage.ts";
import { STORY } from "./demo/story/index.ts";
import { textOf } from "./demo/wait.ts";
import { makeWorld, type World } from "./demo/world.ts";
import { join } from "node:path";

const HELP = `npm run demo [-- --once [--json]]
  --once   tell the story and end
  --json   print one JSON object instead (with --once)
`;

type Options = { readonly isOnce: boolean; readonly isJson: boolean };

function optionsIn(words: readonly string[]): Options | null {
  const known = ["--once", "--json"];
  const isJson = words.includes("--json");
  const isOnce = words.includes("--once");
  return words.every((word) => known.includes(word)) && (isOnce || !isJson) ? { isOnce, isJson } : null;
}

async function demo({ isOnce, isJson }: Options): Promise<number> {
  const stopped = new Promise<"stopped">((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => resolve("stopped"));
  });
  let world: World | null = null;
  const facts: Partial<Report> = {};
  try {
    await buildOutputs(join(import.meta.dirname, "../dist"));
    const made = (world = await makeWorld());
    let stage: Stage | null = null;
    const set = {
      title: "Three machines, a git server, a vault and a hub",
      run: async (say: Say) => void (stage = await setStage(made, say)),
    };
    const chapters = STORY.map(({ title, run }) => ({
      title,
      run: async (say: Say) => {
        if (stage !== null) Object.assign(facts, await run(stage, say));
      },
    }));
    const told = tell([set, ...chapters], isJson ? "silent" : process.stdout.isTTY ? "live" : "plain");
    if ((await Promise.race([told, stopped])) === "stopped") return 130;
    if (!isOnce && stage !== null) {
      process.stdout.write(next(stage));
      await stopped;
    }
  } catch (err) {
    process.stderr.write(`demo: ${textOf(err)}\n`);
    return 1;
  } finally {
    if (world !== null) for (const failure of await world.close()) process.stderr.write(`demo: clean-up: ${failure}\n`);
    if (isJson) process.stdout.write(`${JSON.stringify(reportOf(facts))}\n`);
  }
  const faults = faultsIn(facts);
  for (const fault of faults) process.stderr.write(`demo: not so: ${fault}\n`);
  return faults.length === 0 ? 0 : 1;
}

const options = optionsIn(process.argv.slice(2));
if (options === null) process.stderr.write(HELP);
process.exit(options === null ? 1 : await demo(options));
