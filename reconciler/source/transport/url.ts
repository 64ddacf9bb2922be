import { isAbsolute } from "node:path";
import { fileURLToPath } from "node:url";
import { MooringError } from "#base/errors/index.ts";

/** Where the fleet repo is: a bare repository on this machine, or one behind smart HTTP. */
export type Place = { readonly kind: "local"; readonly gitdir: string } | { readonly kind: "http"; readonly url: string };

/** The place `url` names. Throws SOURCE_MISCONFIGURED for what can't be one (a relative path, a password inside the URL: it would end up
 *  in files and logs), NOT_YET for git over SSH. Never puts userinfo into an error. Pure. */
export function parsePlace(url: string): Place {
  if (isAbsolute(url)) return { kind: "local", gitdir: url };
  if (/^[\w.-]+@[\w.-]+:/.test(url)) throw notYet("git over SSH");
  if (!URL.canParse(url)) throw misconfigured("not a URL and not an absolute path");
  const parsed = new URL(url);
  switch (parsed.protocol) {
    case "file:":
      return { kind: "local", gitdir: localPath(parsed) };
    case "http:":
    case "https:":
      return httpPlace(parsed);
    case "ssh:":
    case "git+ssh:":
      throw notYet("git over SSH");
    default:
      throw misconfigured(`the scheme ${parsed.protocol} is not one of file, http, https`);
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

function notYet(what: string): MooringError {
  return new MooringError("NOT_YET", `source URL: ${what}`, { fix: "use https:// or a local bare repository" });
}
