import { lstat, unlink } from "node:fs/promises";
import { createServer, connect, type Server } from "node:net";
import { join, relative } from "node:path";
import { isErrno } from "#base/durable/index.ts";
import { MooringError } from "#base/errors/index.ts";

/** Makes sure that ONE process serves a vault's folder: a second writer would fork its log. The lock is a socket that a dead process can't keep.
 *  Throws VAULT_EXISTS while another vault lives. The path is taken from the working folder, since socket paths are short. */
export async function lockFolder(dir: string): Promise<Server> {
  const path = relative(process.cwd(), join(dir, "lock.sock"));
  await clearStale(path);
  const server = createServer((peer) => peer.destroy());
  await listen(server, path);
  server.unref();
  return server;
}

/** Resolves once `server` listens at the socket `path`. */
export function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

/** Takes a left-over socket of a dead vault away; throws VAULT_EXISTS for a living one and for any other file. */
export async function clearStale(socket: string): Promise<void> {
  try {
    if (!(await lstat(socket)).isSocket()) throw new MooringError("VAULT_EXISTS", `${socket}: not a socket`);
  } catch (err) {
    if (isErrno(err, "ENOENT")) return;
    throw err;
  }
  if (await answers(socket))
    throw new MooringError("VAULT_EXISTS", `${socket}: a vault answers there`, { fix: "stop the other vault first" });
  await unlink(socket);
}

function answers(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(socket);
    probe.once("connect", () => {
      probe.destroy();
      resolve(true);
    });
    probe.once("error", () => resolve(false));
  });
}
