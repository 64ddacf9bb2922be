import { type Command, Option } from "commander";
import type { Output } from "../hub/index.ts";
import { hubOption } from "./options.ts";
import type { Result } from "./result.ts";

const OUTPUTS: readonly Output[] = ["table", "wide", "json", "name"];

/** Commands that ask a running hub. */
export function addHubCommands(program: Command, result: Result): void {
  program
    .command("status")
    .description("what runs, what waits for whose signature, what is refused and why, how the machines are")
    .addOption(hubOption().makeOptionMandatory())
    .addOption(new Option("-o, --output <form>").choices(["text", "json"]).default("text"))
    .action(async (flags: { hub: string; output: "text" | "json" }) => {
      const { status } = await import("../hub/index.ts");
      result.code = await status(flags, process.stdout, Date.now());
    });
  const get = program.command("get").description("list machines or plugins");
  for (const what of ["machines", "plugins"] as const) {
    get
      .command(what)
      .addOption(hubOption().makeOptionMandatory())
      .addOption(new Option("-o, --output <form>").choices(OUTPUTS).default("table"))
      .action(async (flags: { hub: string; output: Output }) => {
        const { getMachines, getPlugins } = await import("../hub/index.ts");
        result.code = await (what === "machines" ? getMachines : getPlugins)(flags, process.stdout, Date.now());
      });
  }
  program
    .command("reconcile")
    .description("have the hub look at the source and at these machines now")
    .argument("[machines...]", "all when none is named")
    .addOption(hubOption().makeOptionMandatory())
    .action(async (machines: string[], { hub }: { hub: string }) => {
      const { reconcile } = await import("../hub/index.ts");
      result.code = await reconcile({ hub, machines }, process.stdout);
    });
}
