import { chmod, unlink } from "node:fs/promises";
import type { Server } from "node:http";
import net from "node:net";
import { isErrno } from "#base/durable/index.ts";
import { MooringError } from "#base/errors/index.ts";

/** Listens on a unix socket for its owner and group. A socket nobody answers on is left from a crash and replaced; HUB_SOCKET_TAKEN when a hub is there. */
export async function listenOn(server: Server, path: string): Promise<void> {
  if (await isAnswered(path)) throw new MooringError("HUB_SOCKET_TAKEN", path);
  try {
    await unlink(path);
  } catch (err) {
    if (!isErrno(err, "ENOENT")) throw err;
  }
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, () => resolve());
  });
  await chmod(path, 0o660);
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
