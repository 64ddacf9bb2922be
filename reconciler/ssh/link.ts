import type { Duplex } from "node:stream";
import type { Exec } from "./exec.ts";

/** A living connection to one machine; never says who dialled or how. */
export type Link = {
  /** A fresh byte channel to the agent; SSH_CHANNEL_REFUSED or SSH_HUNG when there is none. */
  channel(signal: AbortSignal): Promise<Duplex>;
  /** Resolves when the connection is gone, for whatever reason. */
  readonly closed: Promise<void>;
  close(): void;
};

/** A living connection over which programs are started. */
export type ExecLink = {
  /** Starts a program; see exec.ts. SSH_CHANNEL_REFUSED, SSH_HUNG or SSH_UNREACHABLE when it can't. */
  exec(command: string, env: Readonly<Record<string, string>>, signal: AbortSignal): Promise<Exec>;
  /** An idle link keeps no process alive. */
  setIdle(isIdle: boolean): void;
  readonly closed: Promise<void>;
  close(): void;
};
