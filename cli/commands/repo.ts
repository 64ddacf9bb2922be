import { resolve } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { MooringError } from "#base/errors/index.ts";
import { REPORT_FORMATS, type ReportFormat } from "../report/formats.ts";
import { addSource, DEPS, hubOption, type SourceFlags, sourceOf } from "./options.ts";
import type { Result } from "./result.ts";

/** Commands on a checkout or a fleet repo that sign nothing. */
export function addRepoCommands(program: Command, result: Result): void {
  program
    .command("validate")
    .description("check a checkout of the fleet repo as the hub would; no network")
    .argument("[dir]", "the checkout", ".")
    .addOption(new Option("-o, --output <form>", "how findings are told").choices(["text", "json"]).default("text"))
    .option("--strict", "warnings fail, too")
    .option("--color", "colour, whatever the terminal says")
    .option("--no-color", "no colour")
    .action(async (dir: string, { output, strict = false, color }: ValidateFlags, command: Command) => {
      const { validate } = await import("../validate.ts");
      const { wantsColor } = await import("../report/paint.ts");
      const asked = command.getOptionValueSource("color") === "cli" ? color : undefined;
      result.code = await validate(dir, process.stdout, { output, strict, color: wantsColor(asked, process.stdout.isTTY, process.env) });
    });
  addPlan(program, result);
  addTrustRoot(program, result);
  addSecretRef(program, result);
}

type ValidateFlags = { output: "text" | "json"; strict?: boolean; color?: boolean };

type PlanFlags = Partial<SourceFlags> & {
  cache: string;
  repo?: string;
  base?: string;
  head?: string;
  pr?: number;
  check?: "roles";
  live?: boolean;
  hub?: string;
  output: ReportFormat | "text";
  color?: boolean;
};

/** From a checkout's own .git; with --source and no --repo from the fleet repo itself, against what is released. */
function addPlan(program: Command, result: Result): void {
  const command = addSource(program.command("plan")).description(
    "what a change does to which machines, who gains access, who has to sign; exit code 2 when there are changes, 3 when a policy denies them",
  );
  for (const option of command.options) if (option.long === "--source") option.makeOptionMandatory(false);
  command
    .option("--repo <dir>", "a checkout of the fleet repo; default: the one you stand in")
    .option("--base <rev>", "compare with this; default: origin's main branch, with --source what is released")
    .option(
      "--head <rev>",
      'branch, tag or commit to look at, or "worktree" for the files as they lie there; default: worktree, with --source main',
    )
    .option("--pr <number>", "number of the pull request, for what is printed", numberOf)
    .addOption(new Option("--check <what>", "only whether a complete release covers the head: 0 covered, 2 waiting").choices(["roles"]))
    .option("--live", "add what the hub last saw of the machines")
    .addOption(hubOption())
    .addOption(new Option("-o, --output <form>").choices([...REPORT_FORMATS, "text"]).default("table"))
    .option("--color", "colour, also where nobody looks")
    .option("--no-color", "no colour")
    .action(async (flags: PlanFlags) => {
      const { source, repo, base, head, cache, color } = flags;
      if (source !== undefined && repo === undefined) {
        const output = textOrJson(flags.output);
        const { plan } = await import("../release/index.ts");
        const options = {
          ...sourceOf({ ...flags, source, cache }),
          base,
          output,
          ...(head === undefined || head === "main" ? {} : { head }),
        };
        result.code = await plan(options, process.stdout, DEPS);
        return;
      }
      if (flags.check !== undefined || flags.output === "text") {
        const { planCheckout } = await import("../review/index.ts");
        const output = flags.output === "json" ? "json" : "text";
        result.code = await planCheckout({ ...checkoutOptions(flags), output }, process.stdout, DEPS);
        return;
      }
      const { printReview, wantsColor } = await import("../report/print.ts");
      const { isTTY, columns } = process.stdout;
      const form = { format: flags.output, width: isTTY ? columns : null, color: wantsColor(color, isTTY, process.env) };
      result.code = await printReview(checkoutOptions(flags), form, process.stdout, DEPS);
    });
}

/** Against what is released there is no pull request to write for. */
function textOrJson(output: PlanFlags["output"]): "text" | "json" {
  if (output === "table" || output === "text") return "text";
  if (output === "json") return output;
  throw new MooringError("USAGE", `mooring plan --source -o ${output}`, { why: "it needs a checkout: --repo" });
}

function checkoutOptions({ repo, base, head, pr, check, live, hub, trustRoot }: PlanFlags) {
  if (live === true && hub === undefined)
    throw new MooringError("USAGE", "mooring plan --live", { why: "it needs --hub, the hub's socket" });
  return {
    repo: resolve(repo ?? "."),
    base: base ?? null,
    head: head ?? "worktree",
    pr: pr ?? null,
    trustRoot: trustRoot ?? null,
    live: live === true ? hub! : null,
    check: check ?? null,
  };
}

function numberOf(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError("it is a whole number from 1 on");
  return Number(text);
}

function addTrustRoot(program: Command, result: Result): void {
  const command = addSource(program.command("trust-root")).description(
    "print the leaf of the trust section of main, or of a checkout you have read",
  );
  for (const option of command.options) if (option.long === "--source") option.makeOptionMandatory(false);
  command.option("--dir <dir>", "a checkout instead of --source").action(async (flags: Partial<SourceFlags> & { dir?: string }) => {
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
