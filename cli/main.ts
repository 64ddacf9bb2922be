import { formatError } from "#base/errors/index.ts";
import { useCodeCache } from "./code-cache.ts";
import { checkNode, VERSION } from "./version.ts";

// Exit codes: 0 ok or nothing to do, 1 error, 2 changes, 3 policy refused. What is printed of an error is ours alone; MOORING_DEBUG=1 lets it crash
// with its stack and causes.
process.stdout.on("error", (err: NodeJS.ErrnoException) => {
  if (err.code !== "EPIPE") throw err;
  process.exit(1); // whoever read our output has gone: `mooring … | head`
});
try {
  checkNode(process.versions.node);
  useCodeCache(process.env);
  const { runProgram } = await import("./commands/program.ts");
  process.exitCode = await runProgram(process.argv.slice(2), VERSION);
} catch (err) {
  if (process.env["MOORING_DEBUG"] === "1") throw err;
  process.stderr.write(`${formatError(err)}\n`);
  process.exitCode = 1;
}
