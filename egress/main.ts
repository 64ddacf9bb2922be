/** The egress process: forked by the agent under its own uid, `main.ts <socket path>`. Says {t: "ready"} and ends when the IPC channel closes. */
import { once } from "node:events";
import { chmodSync, lstatSync, unlinkSync } from "node:fs";
import { formatError, MooringError } from "#base/errors/index.ts";
import { lineLog } from "#base/log/index.ts";
import { denyingProxy } from "./server.ts";

const REPORT_MS = 10_000;

async function main(): Promise<void> {
  const path = process.argv[2];
  if (path === undefined || process.send === undefined) throw new MooringError("USAGE", "egress is started by openclaw-lobster serve");
  process.on("disconnect", () => process.exit(0));
  const log = lineLog((line) => process.stderr.write(line), Date.now, { room: "egress" });
  let denied = 0;
  const server = denyingProxy(() => (denied += 1));
  setInterval(() => {
    if (denied > 0) log.info({ denied }, "requests refused");
    denied = 0;
  }, REPORT_MS).unref();
  removeOldSocket(path);
  server.listen(path);
  await once(server, "listening");
  chmodSync(path, 0o666); // plugins run under uids of their own, and there is nothing here to be had
  process.send({ t: "ready" });
}

/** A socket that an earlier egress left; anything else there is not ours to remove. */
function removeOldSocket(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) throw new MooringError("USAGE", "egress: the path is taken by something that is no socket");
  unlinkSync(path);
}

try {
  await main();
} catch (err) {
  process.stderr.write(`${formatError(err)}\n`);
  process.exit(1);
}
