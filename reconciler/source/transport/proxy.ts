import { isIPv4 } from "node:net";
import { MooringError } from "#base/errors/index.ts";

/** An HTTP proxy between us and the git server. */
export type Proxy = {
  /** http:// or https:// without a path. */
  readonly url: string;
  /** `user:password`, read anew for each connection. */
  readonly credentials?: () => Promise<string> | string;
  /** Hosts reached without it, as in NO_PROXY. */
  readonly except: readonly string[];
};

/** The proxy that `url` is reached through, or null. Pure. */
export function proxyFor(url: URL, proxy: Proxy | undefined): Proxy | null {
  return proxy === undefined || proxy.except.some((entry) => isExcepted(url, entry.trim().toLowerCase())) ? null : proxy;
}

/** As curl and git read an entry of NO_PROXY: a name stands for itself and all below it, with or without a port; `*` for everything; an address, or a
 *  range of IPv4 addresses, for itself. */
function isExcepted(url: URL, entry: string): boolean {
  if (entry === "*") return true;
  const host = url.hostname.replace(/^\[|\]$/g, "").toLowerCase();
  const port = url.port === "" ? (url.protocol === "https:" ? "443" : "80") : url.port;
  const match = /^\[?([^\]]*?)\]?(?::(\d+))?$/.exec(entry.split(":").length > 2 && !entry.startsWith("[") ? `[${entry}]` : entry);
  if (match === null || (match[2] !== undefined && match[2] !== port)) return false;
  const name = (match[1] ?? "").replace(/^\*?\./, "").replace(/\.$/, "");
  if (name === "") return false;
  if (name.includes("/")) return isInRange(host, name);
  return host === name || host.endsWith(`.${name}`);
}

function isInRange(host: string, range: string): boolean {
  const [base = "", bits = ""] = range.split("/");
  if (!isIPv4(host) || !isIPv4(base) || !/^(?:\d|[12]\d|3[0-2])$/.test(bits)) return false;
  const shift = 2 ** (32 - Number(bits));
  return Math.floor(numberOf(host) / shift) === Math.floor(numberOf(base) / shift);
}

function numberOf(address: string): number {
  return address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
}

/** The proxy of a person's own words; SOURCE_MISCONFIGURED for no HTTP proxy, or for credentials inside the URL: they would end up in process lists. */
export function parseProxy(url: string, except: readonly string[], credentials?: Proxy["credentials"]): Proxy {
  const parsed = proxyUrl(url);
  if (parsed.username !== "" || parsed.password !== "") throw wrong("it holds credentials: put user:password into a file and name that");
  return { url: parsed.origin, except, ...(credentials === undefined ? {} : { credentials }) };
}

/** The proxy that the usual variables name for `target`; undefined where they name none. Only for those who ask for it. Pure. */
export function proxyOfEnv(env: Readonly<Record<string, string | undefined>>, target: string): Proxy | undefined {
  const of = (name: string): string | undefined => env[name.toLowerCase()] || env[name] || undefined; // an empty variable is none
  const isPlain = /^http:/i.test(target);
  // HTTP_PROXY in upper case is a request header of CGI programs (httpoxy), which we are not; git and curl read the lower one alone.
  const url = (isPlain ? env["http_proxy"] || undefined : of("HTTPS_PROXY")) ?? of("ALL_PROXY");
  if (url === undefined) return undefined;
  const parsed = proxyUrl(url.includes("://") ? url : `http://${url}`);
  const { username, password } = parsed;
  const login = username === "" && password === "" ? undefined : `${decoded(username)}:${decoded(password)}`;
  return {
    url: parsed.origin,
    except: (of("NO_PROXY") ?? "").split(",").filter((entry) => entry.trim() !== ""),
    ...(login === undefined ? {} : { credentials: () => login }),
  };
}

function proxyUrl(text: string): URL {
  const parsed = URL.canParse(text) ? new URL(text) : null;
  if (parsed === null || !/^https?:$/.test(parsed.protocol)) throw wrong("not the URL of an HTTP proxy: write http://host:port");
  if (parsed.pathname.replace("/", "") !== "" || parsed.search !== "" || parsed.hash !== "") throw wrong("it has a path");
  return parsed;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw new MooringError("SOURCE_MISCONFIGURED", "proxy", { why: "its credentials are not written as a URL wants them", cause });
  }
}

function wrong(why: string): MooringError {
  return new MooringError("SOURCE_MISCONFIGURED", "proxy", { why });
}
