import { resolve } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import type { Result } from "./result.ts";

/** Commands on policies/ of a checkout. */
export function addPolicyCommands(program: Command, result: Result): void {
  const group = program.command("policy").description("rules that changes of the fleet repo have to meet");
  group
    .command("test")
    .description("run policies/tests/*.yaml against policies/*.yaml, and show what no case decides; no network")
    .argument("[dir]", "the checkout", ".")
    .option("--min-coverage <percent>", "fail below this share of expressions seen both ways", percentOf, 0)
    .action(async (dir: string, { minCoverage }: { minCoverage: number }) => {
      const { policyTest } = await import("../policy/index.ts");
      result.code = await policyTest({ dir, minCoverage }, process.stdout);
    });
  group
    .command("list")
    .description("the built-in policies")
    .action(async () => {
      const { policyList } = await import("../policy/index.ts");
      result.code = await policyList(process.stdout);
    });
  group
    .command("add")
    .description("copy built-in policies and their tests into a checkout")
    .argument("<names...>", "`mooring policy list` names them")
    .option("--dir <dir>", "the checkout", ".")
    .action(async (names: string[], { dir }: { dir: string }) => {
      const { policyAdd } = await import("../policy/index.ts");
      result.code = await policyAdd(names, resolve(dir), process.stdout);
    });
}

function percentOf(text: string): number {
  const percent = Number(text);
  if (/^\d{1,3}$/.test(text) && percent <= 100) return percent;
  throw new InvalidArgumentError("it is a whole number from 0 to 100");
}
