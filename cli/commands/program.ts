import { Command, CommanderError } from "commander";
import { MooringError } from "#base/errors/index.ts";
import { addCiCommands } from "./ci.ts";
import { addExplainCommand } from "./explain.ts";
import { addHubCommands } from "./hub.ts";
import { addHubKeyCommand } from "./hub-key.ts";
import { addInitCommand } from "./init.ts";
import { checkBuilt } from "./not-yet.ts";
import { addPluginCommands } from "./plugin.ts";
import { addPolicyCommands } from "./policy.ts";
import { addPruneCommand } from "./prune.ts";
import { addReleaseCiCommand } from "./release-ci.ts";
import { addReleaseCommands } from "./release.ts";
import { addRepoCommands } from "./repo.ts";
import { addRunCommand } from "./run.ts";
import type { Result } from "./result.ts";

const FINE = ["commander.helpDisplayed", "commander.help", "commander.version"];

/** Runs one command line and gives back its exit code; throws MooringErrors: USAGE for what can't be parsed, NOT_YET for commands to come. */
export async function runProgram(args: readonly string[], version: string): Promise<number> {
  checkBuilt(args);
  const result: Result = { code: 0 };
  const program = programOf(version, result);
  try {
    await program.parseAsync([...args], { from: "user" });
  } catch (err) {
    if (!(err instanceof CommanderError)) throw err;
    if (FINE.includes(err.code)) return args.length === 0 ? 1 : err.exitCode;
    // The one library text that we show: it quotes nothing but what the person has just typed, and says what was meant.
    throw new MooringError("USAGE", `mooring ${args[0] ?? ""}`.trim(), { why: err.message.replace(/^error: /, "").replaceAll("\n", " ") });
  }
  return result.code;
}

/** The whole command line, which leaves its exit code in `result`. */
export function programOf(version: string, result: Result): Command {
  const program = strict(new Command("mooring"))
    .description("GitOps for fleets of Mac minis that run OpenClaw plugins")
    .version(version, "--version", "print the version")
    .helpCommand(false);
  for (const add of [
    addInitCommand,
    addExplainCommand,
    addRepoCommands,
    addReleaseCommands,
    addPruneCommand,
    addHubCommands,
    addPluginCommands,
    addCiCommands,
    addPolicyCommands,
    addRunCommand,
    addHubKeyCommand,
    addReleaseCiCommand,
  ])
    add(program, result);
  return program;
}

/** Commands throw instead of ending the process; sub-commands inherit it. */
function strict(command: Command): Command {
  return command.exitOverride().configureOutput({ outputError: () => undefined, writeErr: (text) => process.stdout.write(text) });
}
