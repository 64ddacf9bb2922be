import { type Command, InvalidArgumentError } from "commander";
import type { Digest } from "#base/canonical/index.ts";
import { MooringError } from "#base/errors/index.ts";
import type { Distrust } from "../release/index.ts";
import { addSource, DEPS, digestOf, hubOption, listOf, type SourceFlags, sourceOf } from "./options.ts";
import type { Result } from "./result.ts";
import { terminalIo } from "./terminal.ts";

type SignFlags = SourceFlags & { key: string; as: string; lifts?: Digest[]; renew?: boolean; yes?: boolean; resolver?: number };
type ReleaseFlags = SignFlags & { distrust?: string; since?: Since };
type Since = { serial: number } | { day: string };

/** Commands that sign. */
export function addReleaseCommands(program: Command, result: Result): void {
  addSigning(addSource(program.command("release")))
    .description("sign what main asks for, and push the signature to mooring/releases")
    .option("--renew", "make a new release although one covers main: before it expires")
    .option("--resolver <form>", "the form to resolve in, from now on; the same outcome in a new form restarts nothing", countOf)
    .option("--distrust <principal>", "somebody whom main trusts no longer: show what hung on them, and have it attested again")
    .option("--since <serial|day>", "with --distrust: from this release, or this day (YYYY-MM-DD), on", sinceOf)
    .action(async (flags: ReleaseFlags) => {
      const { release } = await import("../release/index.ts");
      result.code = await release({ ...signOptions(flags), distrust: distrustOf(flags) }, terminalIo(), DEPS);
    });
  addSigning(addSource(program.command("approve")))
    .description("sign what main will ask for once a branch or commit is merged, whatever merges it")
    .argument("<rev>", "the number of a pull request, a branch, or a commit of 40 digits")
    .option("--withdraw", "take approvals of it back, before it is merged; also of release/SERIAL")
    .action(async (revision: string, flags: SignFlags & { withdraw?: boolean }) => {
      const { approve, withdraw } = await import("../release/index.ts");
      const options = { ...signOptions(flags), revision };
      result.code = await (flags.withdraw === true ? withdraw : approve)(options, terminalIo(), DEPS);
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
  const { key, as, lifts = [], renew = false, yes = false, resolver } = flags;
  return { ...sourceOf(flags), key, as, lifts, renew, yes, resolver };
}

function distrustOf({ distrust, since }: ReleaseFlags): Distrust | undefined {
  if (distrust === undefined && since !== undefined)
    throw new MooringError("USAGE", "mooring release --since", { why: "it goes with --distrust" });
  return distrust === undefined ? undefined : { principal: distrust, since: since ?? null };
}

function countOf(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new InvalidArgumentError("it is a whole number from 1 on");
  return Number(text);
}

function sinceOf(text: string): Since {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return { serial: countOf(text) };
  if (Number.isNaN(Date.parse(`${text}T00:00:00Z`))) throw new InvalidArgumentError("there is no such day");
  return { day: text };
}
