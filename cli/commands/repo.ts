import { resolve } from "node:path";
import { type Command, Option } from "commander";
import { MooringError } from "#base/errors/index.ts";
import { addSource, DEPS, type SourceFlags, sourceOf } from "./options.ts";
import type { Result } from "./program.ts";

/** Commands on a checkout or a fleet repo that sign nothing. */
export function addRepoCommands(program: Command, result: Result): void {
  program
    .command("validate")
    .description("check a checkout of the fleet repo as the hub would; no network")
    .argument("<dir>", "the checkout")
    .action(async (dir: string) => {
      const { validate } = await import("../validate.ts");
      result.code = await validate(dir, process.stdout);
    });
  addSource(program.command("plan"))
    .description("what main (or --head) changes against what is released; exit code 2 when there are changes")
    .option("--base <rev>", "compare with this branch or commit instead")
    .option("--head <rev>", "branch or commit to look at", "main")
    .addOption(new Option("-o, --output <form>").choices(["text", "json"]).default("text"))
    .action(async (flags: SourceFlags & { base?: string; head: string; output: "text" | "json" }) => {
      const { plan } = await import("../release/index.ts");
      const { base, head, output } = flags;
      result.code = await plan({ ...sourceOf(flags), base, output, ...(head === "main" ? {} : { head }) }, process.stdout, DEPS);
    });
  addTrustRoot(program, result);
  addSecretRef(program, result);
}

function addTrustRoot(program: Command, result: Result): void {
  const command = addSource(program.command("trust-root")).description(
    "print the leaf of the trust section of main, or of a checkout you have read",
  );
  for (const option of command.options) if (option.long === "--source") option.makeOptionMandatory(false);
  command
    .option("--dir <dir>", "a checkout instead of --source")
    .action(async (flags: Partial<SourceFlags> & { cache: string; dir?: string }) => {
      const { trustRoot } = await import("../trust-root.ts");
      const { dir, source } = flags;
      if (dir === undefined && source === undefined)
        throw new MooringError("USAGE", "mooring trust-root", { why: "it needs --source or --dir" });
      result.code = await trustRoot(dir === undefined ? sourceOf({ ...flags, source: source! }) : { dir: resolve(dir) }, process.stdout);
    });
}

function addSecretRef(program: Command, result: Result): void {
  const group = program.command("secret-ref").description("secrets of the fleet repo");
  addSource(group.command("add"))
    .description("seal a value (hidden prompt, or stdin) as the next version of a secret, into a checkout")
    .argument("<ref>", "team/name or secret://team/name")
    .requiredOption("--repo <dir>", "the checkout to write to")
    .action(async (ref: string, flags: SourceFlags & { repo: string }) => {
      const { secretAdd } = await import("../secret.ts");
      const options = { ...sourceOf(flags), ref, repo: resolve(flags.repo) };
      result.code = await secretAdd(options, process.stdin, process.stderr, process.stdout, DEPS);
    });
}
