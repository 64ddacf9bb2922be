import type { Advertisement } from "./advertisement.ts";
import type { PacketReader } from "./pkt-line.ts";

/** Which of git's programs answers. */
export type Service = "git-upload-pack" | "git-receive-pack";

/** A talk with one of git's programs: it has introduced itself. */
export type Talk = {
  readonly ad: Advertisement;
  /** How the place is called in errors. */
  readonly where: string;
  /** Sends one request; the reader gives its answer. Protocol 0 takes one request a talk. */
  ask(body: readonly Uint8Array[], signal: AbortSignal): Promise<PacketReader>;
  /** An answer was read to its last packet: what carries it can be used again. */
  settle(reader: PacketReader): Promise<void>;
  /** Nobody asks or reads on. May be called twice. */
  end(): void;
};

/** What carries talks to one repository. */
export type Carrier = {
  open(service: Service, signal: AbortSignal): Promise<Talk>;
  /** Ends what is kept between talks. */
  close(): void;
};
