import { MooringError } from "#base/errors/index.ts";
import type { Access } from "./access.ts";
import { mayCarryToken } from "./url.ts";

export type Asked = Pick<Access, "token"> & { readonly url: string; readonly isProxied: boolean };

/** Passes 200; any other status becomes an error of ours, and no word of the server's comes into it. */
export function refuseStatus(status: number, where: string, asked: Asked): void {
  if (status === 200) return;
  const said = `the server answered ${status}`;
  if (status === 401 || status === 403) throw new MooringError("SOURCE_DENIED", where, { why: whyDenied(asked, said) });
  if (status === 404 || status === 410) throw new MooringError("SOURCE_NOT_FOUND", where, { why: said });
  if (status === 407) throw new MooringError("SOURCE_PROXY_REFUSED", where, { why: "the proxy wants other credentials" });
  if (status >= 300 && status < 400)
    throw new MooringError("SOURCE_UNREACHABLE", where, { why: "the server redirects elsewhere; use the final URL" });
  throw new MooringError("SOURCE_UNREACHABLE", where, { why: said });
}

function whyDenied({ token, url, isProxied }: Asked, said: string): string {
  if (token === undefined) return `${said} and no token is configured`;
  if (!mayCarryToken(url) || (isProxied && url.startsWith("http:"))) return `${said}; a token does not travel over plain http`;
  return `${said} to our token`;
}

/** What broke before there was an answer. `code` is Node's: of the socket, of TLS, of the tunnel through a proxy. */
export function brokenError(where: string, cause: unknown, isProxied: boolean): MooringError {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  if (code === "ERR_PROXY_TUNNEL")
    return new MooringError("SOURCE_PROXY_REFUSED", where, { why: "the proxy opens no connection to the server", cause });
  if (CERTIFICATE.test(code)) return new MooringError("SOURCE_CERT_REFUSED", where, { why: certificateWords(code), cause });
  const why = isProxied ? "no connection through the proxy, or it broke" : "no connection, or it broke";
  return new MooringError("SOURCE_UNREACHABLE", where, { why, cause });
}

// X509_V_ERR_* as Node names them (https://nodejs.org/api/tls.html#x509-certificate-error-codes), and the host name check.
const CERTIFICATE =
  /^(?:UNABLE_TO_|CERT_|CRL_|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|ERROR_IN_CERT_|INVALID_|PATH_LENGTH_EXCEEDED|HOSTNAME_MISMATCH|ERR_TLS_CERT_ALTNAME_INVALID)/;

function certificateWords(code: string): string {
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID" || code === "HOSTNAME_MISMATCH") return "its certificate is for another host";
  if (code === "CERT_HAS_EXPIRED") return "its certificate has expired";
  if (code === "CERT_NOT_YET_VALID") return "its certificate is not valid yet: compare the clocks";
  return "no authority that we trust vouches for its certificate";
}
