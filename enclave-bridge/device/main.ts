/** The bridge process: forked by the agent under its own uid, `main.ts <folder> [--allow-software-keys]`. Talks over the fork's IPC channel only
 *  and ends when that closes. */
import { Socket } from "node:net";
import { formatError, MooringError, toProblem } from "#base/errors/index.ts";
import type { FromBridge, ToBridge } from "#bridge/client/ipc.ts";
import { Bridge } from "./bridge.ts";
import { openDevice } from "./device.ts";

/** Messages the agent may be behind with before lines are dropped. */
const BEHIND = 1_000;
let unsent = 0;

function send(message: FromBridge): boolean {
  const mayDrop = message.t === "line" || message.t === "use";
  if (!process.connected || (mayDrop && unsent >= BEHIND)) return false;
  unsent += 1;
  process.send?.(message, undefined, {}, () => {
    unsent -= 1;
  });
  return true;
}

async function main(): Promise<void> {
  const [dir, ...flags] = process.argv.slice(2);
  if (dir === undefined || process.send === undefined) throw new MooringError("USAGE", "the bridge is started by openclaw-lobster serve");
  process.umask(0o077);
  process.on("disconnect", () => process.exit(0));
  const device = await openDevice({ dir, allowSoftwareKeys: flags.includes("--allow-software-keys") });
  const bridge = new Bridge(device, send);
  let last = Promise.resolve(); // one request at a time: a state and what follows it are never mixed
  process.on("message", (message, handle) => {
    last = last.then(() => reply(bridge, message as ToBridge, handle instanceof Socket ? handle : undefined));
  });
  send({ t: "ready", kx: device.kx, sig: device.sig, treeSize: device.treeSize });
}

async function reply(bridge: Bridge, request: ToBridge, socket: Socket | undefined): Promise<void> {
  try {
    send({ t: "reply", id: request.id, ok: true, value: await bridge.handle(request, socket) });
  } catch (err) {
    socket?.destroy();
    send({ t: "reply", id: request.id, ok: false, problem: toProblem(oursOf(err)) });
  }
}

/** A programmer error ends the bridge (the agent starts another); the disk's refusals are ours to tell. */
function oursOf(err: unknown): MooringError {
  if (err instanceof MooringError) return err;
  const { errno, code } = err as NodeJS.ErrnoException;
  if (errno === undefined) throw err;
  return new MooringError("BRIDGE_DISK", "the bridge's folder", { why: `the operating system said ${code}`, cause: err });
}

try {
  await main();
} catch (err) {
  process.stderr.write(`${formatError(err)}\n`);
  process.exit(1);
}
