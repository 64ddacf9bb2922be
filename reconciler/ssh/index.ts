export { connect, connectExec, type ConnectOptions, hasNativeCrypto, type Login } from "./connect.ts";
export type { Exec } from "./exec.ts";
export type { ExecLink, Link } from "./link.ts";
export { keysOfKnownHosts } from "./known-hosts.ts";
export { type HostKeyPin, type PinnedHost, pinsOf } from "./pinned-host.ts";
