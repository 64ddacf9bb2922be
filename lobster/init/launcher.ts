import { accessSync, constants } from "node:fs";
import { join } from "node:path";
import type { Layout } from "../contract.ts";

/** Name of the launcher in `bin/`; `restrict,command="…"` of the hub's key names it. */
export const LAUNCHER = "openclaw-lobster-stdio";

/** What sshd runs for the hub's key: joins the channel to the agent's socket. It ignores SSH_ORIGINAL_COMMAND and prints nothing of its own.
 *  With `nc` no second Node runs for a channel; without it the agent's own `stdio` does the same. Pure. */
export function launcherText(layout: Layout, nc: string | null, node: string, agent: string): string {
  const socket = join(layout.run, "agent.sock");
  const command = nc === null ? [node, agent, "stdio", "--root", layout.root] : [nc, "-U", socket];
  return `#!/bin/sh\nunset SSH_ORIGINAL_COMMAND\nexec ${command.map(quoted).join(" ")} 2>/dev/null\n`;
}

/** Absolute path of an `nc` on this machine, or null. Debian's and macOS's speak to unix sockets; BusyBox's is not looked for. */
export function findNc(): string | null {
  for (const path of ["/usr/bin/nc.openbsd", "/usr/bin/nc", "/bin/nc.openbsd"]) {
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // the next place
    }
  }
  return null;
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
