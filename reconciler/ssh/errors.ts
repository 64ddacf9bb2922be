import { MooringError } from "#base/errors/index.ts";
import type { PinnedHost } from "./pinned-host.ts";

/** How a host is called in errors. */
export function where(host: PinnedHost): string {
  return `${host.name} (${host.address}:${host.port})`;
}

export function gone(host: PinnedHost, cause?: unknown): MooringError {
  return new MooringError("SSH_UNREACHABLE", `${where(host)}: the connection is gone or was given up`, { cause });
}

export function unreachable(host: PinnedHost, cause: unknown): MooringError {
  return new MooringError("SSH_UNREACHABLE", `${where(host)}: no connection`, { cause });
}

/** ssh2 names the layer that failed in `level`. */
export function loginError(host: PinnedHost, cause: Error): MooringError {
  const level: unknown = Reflect.get(cause, "level");
  if (level === "client-authentication")
    return new MooringError("SSH_AUTH_REFUSED", `${where(host)}: login as ${host.username} refused`, { cause });
  if (level === "agent")
    return new MooringError("SSH_KEY_UNREADABLE", `${where(host)}: the SSH key`, {
      why: "ssh-agent does not answer, or does not hold it",
      cause,
    });
  if (level === "client-timeout") return new MooringError("SSH_HUNG", `${where(host)}: no SSH answer in time`, { cause });
  return unreachable(host, cause);
}
