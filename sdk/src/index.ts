export { connect, type ConnectOptions } from "./connect.ts";
export { SecretError } from "./error.ts";
export type { Mooring, SecretOptions } from "./mooring.ts";
