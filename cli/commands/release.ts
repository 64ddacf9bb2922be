import type { Command } from "commander";
import type { Digest } from "#base/canonical/index.ts";
import { addSource, DEPS, digestOf, hubOption, listOf, type SourceFlags, sourceOf } from "./options.ts";
import type { Result } from "./program.ts";
import { terminalIo } from "./terminal.ts";

type SignFlags = SourceFlags & { key: string; as: string; lifts?: Digest[]; renew?: boolean; yes?: boolean };

/** Commands that sign. */
export function addReleaseCommands(program: Command, result: Result): void {
  addSigning(addSource(program.command("release")))
    .description("sign what main asks for, and push the signature to mooring/releases")
    .option("--renew", "make a new release although one covers main: before it expires")
    .action(async (flags: SignFlags) => {
      const { release } = await import("../release/index.ts");
      result.code = await release(signOptions(flags), terminalIo(), DEPS);
    });
  addSigning(addSource(program.command("approve")))
    .description("sign what main will ask for once a branch or commit is merged, whatever merges it")
    .argument("<rev>", "a branch, or a commit of 40 digits")
    .action(async (revision: string, flags: SignFlags) => {
      const { approve } = await import("../release/index.ts");
      result.code = await approve({ ...signOptions(flags), revision }, terminalIo(), DEPS);
    });
  addKey(addSource(program.command("revoke")))
    .description("take a secret, plugin or machine out of use now; a later release lifts it")
    .argument("<target>", "secret://team/x, plugin/NAME or machine/NAME")
    .requiredOption("--reason <text>", "why; everybody can read it")
    .option("--machines <names>", "only on these, a,b,c", listOf)
    .addOption(hubOption())
    .action(async (target: string, flags: SourceFlags & { key: string; as: string; reason: string; machines?: string[]; hub?: string }) => {
      const { revoke } = await import("../revoke.ts");
      const { key, as, reason, machines, hub } = flags;
      result.code = await revoke({ ...sourceOf(flags), target, key, as, reason, machines: machines ?? "all", hub }, process.stdout, DEPS);
    });
}

function addKey(command: Command): Command {
  return command
    .requiredOption("--key <file>", "SSH private key, or the .pub file of one that ssh-agent holds")
    .requiredOption("--as <principal>", "who you are in trust/allowed_signers");
}

function addSigning(command: Command): Command {
  return addKey(command)
    .option("--lifts <digest>", "end this revocation; may be given again", (text: string, all: Digest[] | undefined) => [
      ...(all ?? []),
      digestOf(text),
    ])
    .option("--yes", "sign without asking");
}

function signOptions(flags: SignFlags) {
  const { key, as, lifts = [], renew = false, yes = false } = flags;
  return { ...sourceOf(flags), key, as, lifts, renew, yes };
}
