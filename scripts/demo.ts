/** `npm run demo`: a fleet of three machines on this one, from an empty folder to an audited secret. With --once it ends after the story; with --json
 *  too it prints one JSON object and nothing else on stdout. */
import { join } from "node:path";
import { buildOutputs } from "./build.ts";
import { next } from "./demo/next.ts";
import { faultsIn, type Report, reportOf } from "./demo/report.ts";
import { type Part, tell } from "./demo/show.ts";
import { setStage } from "./demo/stand.ts";
import type { Stage } from "./demo/stage.ts";
import { STORY } from "./demo/story/index.ts";
import { DemoFailure, textOf } from "./demo/wait.ts";
import { makeWorld, type World } from "./demo/world.ts";

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

/** The exit code: 0 when every part did what it has to, 1 when not, 130 when it was broken off. Ends and removes what it made in every case. */
async function demo(options: Options): Promise<number> {
  const stopped = stopSignal();
  const facts: Partial<Report> = {};
  let world: World | null = null;
  let faults: readonly string[];
  try {
    await buildOutputs(join(import.meta.dirname, "../dist"));
    world = await makeWorld();
    if ((await Promise.race([perform(world, facts, options), stopped])) === "stopped") return 130;
    faults = faultsIn(facts);
    if (!options.isOnce) await stopped;
  } catch (err) {
    faults = [textOf(err), ...(world === null ? [] : lastWords(world))];
  } finally {
    if (world !== null) for (const failure of await world.close()) process.stderr.write(`demo: clean-up: ${failure}\n`);
  }
  for (const fault of faults) process.stderr.write(`demo: ${fault}\n`);
  if (options.isJson) process.stdout.write(`${JSON.stringify(reportOf(facts))}\n`);
  return faults.length === 0 ? 0 : 1;
}

async function perform(world: World, facts: Partial<Report>, { isOnce, isJson }: Options): Promise<void> {
  const set: { stage: Stage | null } = { stage: null };
  const first: Part = {
    title: "Three machines, a git server, a vault and a hub",
    run: async (say) => void (set.stage = await setStage(world, say)),
  };
  const chapters = STORY.map(
    ({ title, run }): Part => ({ title, run: async (say) => void (set.stage !== null && Object.assign(facts, await run(set.stage, say))) }),
  );
  await tell([first, ...chapters].map(named), isJson ? "silent" : process.stdout.isTTY ? "live" : "plain");
  if (!isOnce && set.stage !== null) process.stdout.write(next(set.stage));
}

/** A failure says which part of the story it ended. */
function named({ title, run }: Part): Part {
  return {
    title,
    run: async (say) => {
      try {
        await run(say);
      } catch (err) {
        throw new DemoFailure(`failed at "${title}": ${err instanceof DemoFailure ? err.message : (err as Error).stack}`);
      }
    },
  };
}

/** The first SIGINT, SIGTERM or SIGHUP; later ones are not heard, so that cleaning up comes to its end. An error nobody caught fails the demo. */
function stopSignal(): Promise<"stopped"> {
  return new Promise((resolve, reject) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => resolve("stopped"));
    process.on("uncaughtException", reject);
  });
}

function lastWords({ processes }: World): readonly string[] {
  return processes.living().map((one) => `last lines of ${one.name}:\n${one.log().trim().split("\n").slice(-5).join("\n")}`);
}

const options = optionsIn(process.argv.slice(2));
if (options === null) process.stderr.write(HELP);
process.exit(options === null ? 1 : await demo(options));
