export { connect, type ConnectOptions, hasNativeCrypto } from "./connect.ts";
export type { Link } from "./link.ts";
export { type HostKeyPin, type PinnedHost, pinsOf } from "./pinned-host.ts";
