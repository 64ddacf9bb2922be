import { fstatSync } from "node:fs";
import { Socket } from "node:net";
import { SecretError } from "./error.ts";
import { Link, type Mooring } from "./mooring.ts";

export type ConnectOptions = {
  /** Where the agent put the bridge's socket. */
  readonly fd?: number;
  /** How long to wait for the bridge's first word. */
  readonly timeoutMs?: number;
};

/** The link to the bridge, once it said which secrets this plugin may ask for. Call it once per process. Throws SecretError NOT_UNDER_MOORING when
 *  there is no socket on `fd` (the program was started by hand). */
export async function connect(options: ConnectOptions = {}): Promise<Mooring> {
  const fd = options.fd ?? 3;
  if (!isSocket(fd))
    throw new SecretError("NOT_UNDER_MOORING", `no socket on file descriptor ${fd}: start the plugin with openclaw-lobster run`);
  return await Link.open(new Socket({ fd, readable: true, writable: true }), options.timeoutMs ?? 10_000);
}

function isSocket(fd: number): boolean {
  try {
    return fstatSync(fd).isSocket();
  } catch {
    return false;
  }
}
