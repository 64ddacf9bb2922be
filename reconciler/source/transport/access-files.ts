import { readFile } from "node:fs/promises";
import { hasCode, MooringError } from "#base/errors/index.ts";
import { keysOfKnownHosts, type Login, type PinnedHost, pinsOf } from "../../ssh/index.ts";
import type { Access, SshAccess } from "./access.ts";
import { parseProxy, type Proxy, proxyOfEnv } from "./proxy.ts";

/** What a person names of a git server: files and public things, never a secret itself, since others can read command lines. */
export type AccessFiles = {
  readonly tokenFile?: string | undefined;
  readonly tokenUser?: string | undefined;
  readonly tokenForm?: "basic" | "bearer" | undefined;
  readonly caFile?: string | undefined;
  /** URL of an HTTP proxy, or `env`: whatever the usual variables say. */
  readonly proxy?: string | undefined;
  /** File with `user:password` for the proxy. */
  readonly proxyAuthFile?: string | undefined;
  readonly noProxy?: readonly string[] | undefined;
  /** SSH private key, or the .pub file of one that ssh-agent holds. */
  readonly keyFile?: string | undefined;
  /** "ssh-ed25519 AAAA…"; several while a key is rolled. */
  readonly hostKeys?: readonly string[] | undefined;
  readonly knownHostsFile?: string | undefined;
};

type Env = Readonly<Record<string, string | undefined>>;

/** Access by those files to `url`. Secrets, keys and known hosts are read anew whenever they are used, so they can be rolled under a running hub; the rest is
 *  read now. Throws SOURCE_MISCONFIGURED. */
export async function accessOf(files: AccessFiles, url: string, env: Env): Promise<Access> {
  const { tokenFile, caFile } = files;
  return {
    token: tokenFile === undefined ? undefined : () => secretOf(tokenFile, "token"),
    tokenUser: files.tokenUser,
    tokenForm: files.tokenForm,
    ca: caFile === undefined ? undefined : await authorities(caFile),
    proxy: proxyBy(files, url, env),
    ssh: sshBy(files, env),
  };
}

async function authorities(path: string): Promise<string> {
  const text = await textAt(path, "authorities");
  if (!text.includes("-----BEGIN CERTIFICATE-----"))
    throw new MooringError("SOURCE_MISCONFIGURED", `authorities: ${path}`, { why: "it holds no certificate in PEM" });
  return text;
}

function proxyBy({ proxy, proxyAuthFile, noProxy }: AccessFiles, url: string, env: Env): Proxy | undefined {
  if (proxy === undefined || !/^https?:/i.test(url)) return undefined; // SSH does not go through it
  if (proxy === "env") return proxyOfEnv(env, url);
  return parseProxy(
    proxy,
    noProxy ?? [],
    proxyAuthFile === undefined ? undefined : () => secretOf(proxyAuthFile, "credentials of the proxy"),
  );
}

function sshBy(files: AccessFiles, env: Env): SshAccess | undefined {
  const { keyFile, hostKeys = [], knownHostsFile } = files;
  if (hostKeys.length === 0 && knownHostsFile === undefined) return undefined;
  return { login: () => loginBy(keyFile, env["SSH_AUTH_SOCK"]), pinsFor: (host, port) => pinsBy(hostKeys, knownHostsFile, host, port) };
}

async function pinsBy(lines: readonly string[], file: string | undefined, host: string, port: number): Promise<PinnedHost["pins"]> {
  const known = file === undefined ? [] : keysOfKnownHosts(await textAt(file, "known hosts"), host, port);
  try {
    return pinsOf([...lines.map((line) => line.trim()), ...known], `git server ${host}`);
  } catch (cause) {
    if (!hasCode(cause, "SSH_HOST_KEY_MALFORMED")) throw cause;
    const why = lines.length + known.length === 0 ? "known_hosts has no key for it" : "what is pinned is no host key";
    throw new MooringError("SOURCE_MISCONFIGURED", `host keys of ${host}`, {
      why,
      fix: "pin the key as the server's operator publishes it: ssh-ed25519 AAAA…, or a known_hosts line for this host and port",
      cause,
    });
  }
}

async function loginBy(file: string | undefined, agent: string | undefined): Promise<Login> {
  const text = file === undefined ? "" : await textAt(file, "key of the source");
  if (file !== undefined && !/^(?:ssh|ecdsa|sk)-\S+ AAAA/.test(text)) return { privateKey: text };
  if (agent === undefined || agent === "")
    throw new MooringError("SOURCE_MISCONFIGURED", "key of the source", {
      why: file === undefined ? "no key is named and no ssh-agent runs" : "it is a public key and no ssh-agent runs",
      fix: "name a private key with --source-key, or start ssh-agent (SSH_AUTH_SOCK)",
    });
  return { agent, publicKey: file === undefined ? null : text.trim().split(/\s+/).slice(0, 2).join(" ") };
}

async function secretOf(path: string, what: string): Promise<string> {
  return (await textAt(path, what)).trim();
}

async function textAt(path: string, what: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new MooringError("SOURCE_MISCONFIGURED", `${what}: ${path}`, { why: "the file can't be read", cause });
  }
}
