import { resolve } from "node:path";
import type { Command } from "commander";
import type { Result } from "./result.ts";

/** `mooring hub-key`: the line of trust/allowed_signers for a hub that signs roles `by: hub`; makes its key where there is none. */
export function addHubKeyCommand(program: Command, _result: Result): void {
  program
    .command("hub-key")
    .description("print the hub's line for trust/allowed_signers, for roles that are by: hub; makes its key at the first call")
    .requiredOption("--dir <dir>", "the hub's own folder, as in mooring run")
    .action(async (flags: { dir: string }) => {
      const { hubKeyLine, makeHubKey } = await import("#reconciler/signing/index.ts");
      process.stdout.write(`${hubKeyLine(await makeHubKey(resolve(flags.dir)))}\n`);
    });
}
