import { isAbsolute } from "node:path";
import { fileURLToPath } from "node:url";
import { MooringError } from "#base/errors/index.ts";

/** A repository reached through SSH. `path` is as the server's git takes it; `url` is one spelling of the whole. */
export type SshPlace = {
  readonly kind: "ssh";
  readonly url: string;
  readonly user: string;
  readonly host: string;
  readonly port: number;
  readonly path: string;
};

export type RemotePlace = { readonly kind: "http"; readonly url: string } | SshPlace;

/** Where the fleet repo is: a bare repository on this machine, or one behind smart HTTP or SSH. */
export type Place = { readonly kind: "local"; readonly gitdir: string } | RemotePlace;

/** The place `url` names: an absolute path, file://, http(s)://, ssh:// or `user@host:path`. Throws SOURCE_MISCONFIGURED for what can't be one (a relative
 *  path, a password inside the URL: it would end up in files and logs). Never puts userinfo into an error. Pure. */
export function parsePlace(url: string): Place {
  if (isAbsolute(url)) return { kind: "local", gitdir: url };
  const scp = /^(?:([^@/:]+)@)(\[[0-9A-Fa-f:.]+\]|[^@/:[\]]+):(.*)$/s.exec(url);
  if (scp !== null) return sshPlace(scp[1] ?? "", scp[2] ?? "", "", scp[3] ?? "");
  if (!URL.canParse(url)) throw misconfigured("not a URL, not an absolute path and not user@host:path");
  const parsed = new URL(url);
  switch (parsed.protocol) {
    case "file:":
      return { kind: "local", gitdir: localPath(parsed) };
    case "http:":
    case "https:":
      return httpPlace(parsed);
    case "ssh:":
    case "git+ssh:":
      return sshUrl(parsed);
    default:
      throw misconfigured(`the scheme ${parsed.protocol} is not one of file, http, https, ssh`);
  }
}

/** Whether a token may travel there: https, or http that never leaves this machine. Pure. */
export function mayCarryToken(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === "https:" || hostname === "localhost" || hostname === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

function httpPlace(parsed: URL): Place {
  if (parsed.username !== "" || parsed.password !== "")
    throw misconfigured("it holds a user name or password; give the token apart from the URL");
  if (parsed.search !== "" || parsed.hash !== "") throw misconfigured("it has a query or a fragment");
  const url = parsed.href.replace(/\/+$/, "");
  return { kind: "http", url };
}

function sshUrl(parsed: URL): Place {
  if (parsed.password !== "") throw misconfigured("it holds a password; SSH sources log in with a key");
  if (parsed.search !== "" || parsed.hash !== "") throw misconfigured("it has a query or a fragment; write ? and # as %3F and %23");
  const path = unescaped(parsed.pathname);
  // As git reads it: /~user/x is a folder of that user.
  return sshPlace(unescaped(parsed.username), parsed.hostname, parsed.port, path.startsWith("/~") ? path.slice(1) : path);
}

function sshPlace(user: string, hostname: string, port: string, path: string): SshPlace {
  const name = user === "" ? "git" : user;
  const host = hostname.replace(/^\[|\]$/g, "");
  if (!/^[A-Za-z0-9_][\w.-]*$/.test(name)) throw misconfigured("not a plain user name before the @");
  if (!/^[A-Za-z0-9:][\w.:-]*$/.test(host)) throw misconfigured("not a host name or address");
  if (path === "" || path === "/") throw misconfigured("it names no repository on that host");
  // A leading dash would be an option of the program that is given the path.
  if (path.startsWith("-") || /[\0-\x1f\x7f]/.test(path)) throw misconfigured("the path begins with a dash or holds control characters");
  const number = port === "" ? 22 : Number(port);
  const shown = host.includes(":") ? `[${host}]` : host;
  const url = `ssh://${name}@${shown}${number === 22 ? "" : `:${number}`}/${encodeURI(path.replace(/^\//, "")).replace(/[?#]/g, encodeURIComponent)}`;
  return { kind: "ssh", url, user: name, host, port: number, path };
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw new MooringError("SOURCE_MISCONFIGURED", "source URL", { why: "a % in it is not followed by two hex digits", cause });
  }
}

function localPath(parsed: URL): string {
  if (parsed.host !== "") throw misconfigured("a file URL with a host: write file:///path");
  try {
    return fileURLToPath(parsed);
  } catch (cause) {
    throw new MooringError("SOURCE_MISCONFIGURED", "source URL", { why: "not a path of this machine", cause });
  }
}

function misconfigured(why: string): MooringError {
  return new MooringError("SOURCE_MISCONFIGURED", "source URL", { why });
}
