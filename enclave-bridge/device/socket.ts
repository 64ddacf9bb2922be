import type { Socket } from "node:net";

/** How long a plugin may take to read an answer. */
export const READ_DEADLINE_MS = 5_000;

/** Resolves true when the operating system has all of the bytes, false when the reader was too slow or went away. Either way nothing refers to
 *  them any more, so they can be zeroed and freed. A slow reader loses its socket. */
export async function writeAll(socket: Socket, parts: readonly Uint8Array[], deadlineMs: number = READ_DEADLINE_MS): Promise<boolean> {
  if (socket.destroyed || !socket.writable) return false;
  const timer = setTimeout(() => socket.destroy(), deadlineMs);
  try {
    return await new Promise<boolean>((resolve) => {
      const gone = (): void => resolve(false);
      socket.once("close", gone); // libuv has let go of every buffer by then
      socket.cork();
      for (const part of parts.slice(0, -1)) socket.write(part);
      socket.write(parts.at(-1) ?? new Uint8Array(), (err) => {
        if (err) return; // "close" follows
        socket.off("close", gone);
        resolve(true);
      });
      socket.uncork();
    });
  } finally {
    clearTimeout(timer);
  }
}
