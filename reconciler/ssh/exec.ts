import type { Duplex } from "node:stream";
import type { Client, ClientChannel } from "ssh2";
import { MooringError } from "#base/errors/index.ts";
import { destroyable } from "./channel.ts";
import { gone, where } from "./errors.ts";
import type { PinnedHost } from "./pinned-host.ts";

/** A program that runs on the other side: its input and output, and how it ended. */
export type Exec = {
  readonly stream: Duplex;
  /** Resolves when the channel closed; never rejects. `code` is null where no status came; `stderr` is what it said there, at most 4 KiB. */
  readonly ended: Promise<{ readonly code: number | null; readonly stderr: string }>;
};

const STDERR_BYTES = 4096;

/** Runs `command` by the account's login shell: whoever makes the text quotes it. `env` is a wish that most servers don't grant. SSH_CHANNEL_REFUSED when
 *  there is none; a channel that comes after `signal` fired is closed again. */
export function execOn(
  host: PinnedHost,
  client: Client,
  command: string,
  env: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Exec> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(gone(host, signal.reason));
    const onAbort = (): void => reject(gone(host, signal.reason));
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      client.exec(command, { env: { ...env } }, (cause, channel) => {
        signal.removeEventListener("abort", onAbort);
        if (cause !== undefined && cause !== null) reject(new MooringError("SSH_CHANNEL_REFUSED", `${where(host)}: no channel`, { cause }));
        else if (signal.aborted) channel.close();
        else resolve({ ended: endOf(channel), stream: destroyable(channel) });
      });
    } catch (cause) {
      signal.removeEventListener("abort", onAbort);
      reject(gone(host, cause));
    }
  });
}

function endOf(channel: ClientChannel): Exec["ended"] {
  const said: Buffer[] = [];
  let size = 0;
  let code: number | null = null;
  channel.stderr.on("data", (chunk: Buffer) => {
    if (size < STDERR_BYTES) said.push(chunk.subarray(0, STDERR_BYTES - size));
    size += chunk.length;
  });
  channel.on("exit", (status: number | null) => {
    code = status;
  });
  return new Promise((resolve) => channel.once("close", () => resolve({ code, stderr: Buffer.concat(said).toString("utf8") })));
}
