import { httpCarrier } from "./http.ts";
import { makeTransport } from "./client.ts";
import type { Access } from "./access.ts";
import { sshCarrier } from "./ssh.ts";
import type { Transport } from "./transport.ts";
import type { RemotePlace } from "./url.ts";

export type { Access, SshAccess } from "./access.ts";
export { type AccessFiles, accessOf } from "./access-files.ts";
export { parseProxy, type Proxy, proxyOfEnv } from "./proxy.ts";
export type { FetchedPack, FetchRequest, RefUpdate, Transport } from "./transport.ts";
export { parsePlace, type Place, type RemotePlace } from "./url.ts";

const MAX_BYTES = 256 << 20;
const IDLE_MS = 30_000; // git itself speaks every 5 s while it makes a pack

export type TransportOptions = {
  /** Largest answer. */
  readonly maxBytes?: number | undefined;
  /** Longest silence before a server counts as hung. */
  readonly idleMs?: number | undefined;
};

/** The way to `place`. Connects to nothing before the first call. SOURCE_MISCONFIGURED for SSH without a pinned host key or a key of ours. */
export function openTransport(
  place: RemotePlace,
  access: Access,
  { maxBytes = MAX_BYTES, idleMs = IDLE_MS }: TransportOptions = {},
): Transport {
  const limits = { maxBytes, idleMs };
  return makeTransport(place.kind === "ssh" ? sshCarrier(place, access, limits) : httpCarrier(place.url, access, limits));
}
