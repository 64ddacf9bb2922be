import type { Command } from "commander";
import { painter, wantsColor } from "../report/paint.ts";
import type { Result } from "./result.ts";

/** `mooring explain`: docs/spec in the terminal. */
export function addExplainCommand(program: Command, result: Result): void {
  program
    .command("explain")
    .description("what a document may hold: `explain plugin.spec.rollout`; without a path, the kinds")
    .argument("[path]", "a kind and perhaps a field of it")
    .option("--recursive", "all fields below it")
    .option("--color", "colour, whatever the terminal says")
    .option("--no-color", "no colour")
    .action(async (path: string | undefined, { recursive = false, color }: { recursive?: boolean; color?: boolean }, command: Command) => {
      const { explain } = await import("../explain/index.ts");
      const asked = command.getOptionValueSource("color") === "cli" ? color : undefined;
      const paint = painter(wantsColor(asked, process.stdout.isTTY, process.env));
      const width = Math.min(process.stdout.columns ?? 100, 120);
      result.code = explain({ path, recursive, width, paint }, process.stdout);
    });
}
