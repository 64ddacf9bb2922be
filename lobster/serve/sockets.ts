import { chmod, chown, mkdtemp, rename, rm } from "node:fs/promises";
import type { Server } from "node:http";
import { basename, dirname, join } from "node:path";

/** Listens on a unix socket that only its group (or root alone) may open. It gets owner and mode in a folder nobody else enters and is then moved to
 *  its place, so that it is never open to others; the old socket of a crashed agent goes by that. */
export async function listen(server: Server, path: string, gid: number | null): Promise<Server> {
  const nook = await mkdtemp(join(dirname(path), "."));
  const fresh = join(nook, "s");
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(fresh, resolve);
  });
  if (gid !== null) await chown(fresh, process.getuid?.() ?? 0, gid);
  await chmod(fresh, basename(path) === "agent.sock" ? 0o660 : 0o600);
  await rename(fresh, path);
  await rm(nook, { recursive: true });
  server.once("close", () => void rm(path, { force: true }).catch(() => null)); // the next start replaces it anyway
  return server;
}

/** Ends a server at once, with every channel it has. */
export function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
