import type { Command } from "commander";
import { addSource, DEPS, type SourceFlags, sourceOf } from "./options.ts";
import type { Result } from "./result.ts";
import { millisOf } from "./run.ts";
import { terminalIo } from "./terminal.ts";

type PruneFlags = SourceFlags & { key: string; as: string; reason: string; for: number; yes?: boolean };

/** `mooring prune …` */
export function addPruneCommand(program: Command, result: Result): void {
  addSource(program.command("prune").description("what leaves the fleet").command("confirm"))
    .description("say that what main takes away was meant; the hub holds it back until then")
    .requiredOption("--key <file>", "SSH private key, or the .pub file of one that ssh-agent holds")
    .requiredOption("--as <principal>", "who you are in trust/allowed_signers")
    .requiredOption("--reason <text>", "why; everybody can read it")
    .option("--for <duration>", "how long it holds, at most what spec.trust.actions allows", millisOf, 3_600_000)
    .option("--yes", "sign without asking")
    .action(async (flags: PruneFlags) => {
      const { pruneConfirm } = await import("../prune.ts");
      const { key, as, reason, yes = false } = flags;
      result.code = await pruneConfirm({ ...sourceOf(flags), key, as, reason, forMs: flags.for, yes }, terminalIo(), DEPS);
    });
}
