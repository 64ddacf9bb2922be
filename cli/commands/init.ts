import { homedir } from "node:os";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import type { Result } from "./result.ts";
import { terminalAsk } from "./terminal.ts";

type Flags = {
  yes?: boolean;
  merge?: boolean;
  name?: string;
  as?: string;
  key?: string;
  hub?: string;
  recoveryKey?: string;
  recoveryRecipient?: string;
  paper?: string;
};

/** `mooring init`: the first five minutes. */
export function addInitCommand(program: Command, result: Result): void {
  program
    .command("init")
    .description("make a fleet repo: roles, recovery, editor completion, CI, first policies")
    .argument("[dir]", "an empty folder", ".")
    .option("--yes", "ask nothing: take options and presets")
    .option("--name <name>", "name of the fleet; preset: the folder's")
    .option("--as <principal>", "who you are as a signer; preset: git's user.email")
    .option("--key <file>", "your SSH key, private or .pub; preset: the best of ssh-agent and ~/.ssh")
    .option("--hub <host>", "where the hub will run, as ssh knows it")
    .option("--recovery-key <file>", "SSH key of the recovery principal, instead of a new one")
    .option("--recovery-recipient <age1…>", "age recipient of the escrow, instead of a new one")
    .option("--paper <file>", "write new recovery keys to this file outside the repo, instead of the terminal")
    .option("--merge", "add to a folder that has files; none is overwritten")
    .action(async (dir: string, { yes = false, merge = false, paper, ...rest }: Flags) => {
      const { init } = await import("../init/index.ts");
      const options = { ...rest, dir: resolve(dir), yes, merge, ...(paper === undefined ? {} : { paper: resolve(paper) }) };
      const around = { ask: terminalAsk(), out: process.stdout, sshFolder: join(homedir(), ".ssh"), env: process.env };
      result.code = await init(options, around);
    });
}
