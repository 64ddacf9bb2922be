/** Entry of `openclaw-lobster`: picks the command, prints errors, sets the exit code. Only wiring. */
import { join } from "node:path";
import { formatError, MooringError } from "#base/errors/index.ts";
import { initMachine, layoutOf } from "../init/index.ts";
import { adminAt } from "./admin.ts";
import { type Args, HELP, parseArgs } from "./args.ts";
import { entriesOf } from "./entries.ts";
import { checkNode } from "./node.ts";
import { runPlugin } from "./run.ts";
import { serve } from "./serve.ts";
import { statusText } from "./status.ts";
import { joinStdio } from "./stdio.ts";
import { uidsOf } from "./uids.ts";
import { verifyMachine } from "./verify.ts";

const stdout = (text: string): void => void process.stdout.write(text);
const stderr = (text: string): void => void process.stderr.write(text);

async function main(argv: readonly string[]): Promise<number> {
  checkNode(process.versions.node);
  const args = parseArgs(argv);
  if (args === null) {
    stdout(HELP);
    return 0;
  }
  const layout = layoutOf(args.root);
  const entries = entriesOf(import.meta.filename);
  const uid = process.getuid?.() ?? 0;
  const admin = adminAt(join(layout.run, "admin.sock"));
  switch (args.command) {
    case "init": {
      if (args.pins === null) throw new MooringError("USAGE", "init: --pins FILE is missing", { fix: "see `openclaw-lobster --help`" });
      const signed = await initMachine({
        layout,
        pinsFile: args.pins,
        uids: await uidsOf(args, uid),
        bridgeEntry: entries.bridge,
        agentEntry: entries.agent,
      });
      stdout(`${JSON.stringify(signed)}\n`);
      return 0;
    }
    case "serve":
      return serve(layout, await uidsOf(args, uid), entries);
    case "stdio":
      await joinStdio(join(layout.run, "agent.sock"));
      return 0;
    case "run":
      return runPlugin(admin, pluginOf(args), args.isDetached, { stdout, stderr, stop: stopSignal() });
    case "status":
      stdout(await statusText(admin, args.isJson));
      return 0;
    case "verify": {
      const { text, isWhole } = await verifyMachine(layout, await uidsOf(args, uid), entries.verifyLog);
      stdout(text);
      return isWhole ? 0 : 1;
    }
    case "resolve":
    case "doctor":
      throw new MooringError("NOT_YET", `openclaw-lobster ${args.command}`, { fix: "use `openclaw-lobster status` and `verify`" });
    default:
      return args.command satisfies never;
  }
}

function pluginOf(args: Args): string {
  if (args.plugin === null) throw new MooringError("USAGE", "run: --plugin-id X is missing", { fix: "see `openclaw-lobster --help`" });
  return args.plugin;
}

/** Fires at the first SIGINT or SIGTERM. */
function stopSignal(): AbortSignal {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort());
  return stop.signal;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (err) {
  if (process.env["MOORING_DEBUG"] === "1") throw err;
  stderr(`${formatError(err)}\n`);
  process.exitCode = 1;
}
