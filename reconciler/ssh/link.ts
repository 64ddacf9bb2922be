import type { Duplex } from "node:stream";

/** A living connection to one machine; never says who dialled or how. */
export type Link = {
  /** A fresh byte channel to the agent; SSH_CHANNEL_REFUSED or SSH_HUNG when there is none. */
  channel(signal: AbortSignal): Promise<Duplex>;
  /** Resolves when the connection is gone, for whatever reason. */
  readonly closed: Promise<void>;
  close(): void;
};
