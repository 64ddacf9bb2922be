import { createConnection } from "node:net";
import { MooringError } from "#base/errors/index.ts";

/** `stdio`: joins stdin and stdout to a unix socket until the socket closes; what the launcher does with nc. */
export async function joinStdio(socketPath: string): Promise<void> {
  const socket = createConnection(socketPath);
  await new Promise<void>((resolve, reject) => {
    socket.once("error", (cause) => reject(new MooringError("AGENT_UNREACHABLE", `no answer on ${socketPath}`, { cause })));
    socket.once("close", () => resolve());
    process.stdout.once("error", () => socket.destroy());
    process.stdin.pipe(socket);
    socket.pipe(process.stdout);
  });
  process.stdin.destroy();
}
