import { type Command, Option } from "commander";
import type { AccessFiles } from "#reconciler/source/index.ts";

/** How one gets in to the git server, as commander gives it. */
export type AccessFlags = {
  readonly tokenFile?: string;
  readonly tokenUser?: string;
  readonly tokenBearer?: boolean;
  readonly sourceCa?: string;
  readonly sourceProxy?: string;
  readonly sourceProxyAuth?: string;
  readonly sourceNoProxy?: readonly string[];
  readonly sourceKey?: string;
  readonly sourceHostKey?: readonly string[];
  readonly sourceKnownHosts?: string;
};

/** Options of every command that talks to the git server. Secrets come in files: everybody on the machine can read a command line. */
export function addAccess(command: Command): Command {
  const more = (text: string, all: readonly string[] | undefined): readonly string[] => [...(all ?? []), text];
  return command
    .option("--token-file <file>", "https: file with a token for the git server")
    .option("--token-user <name>", "https: user name sent with the token (default x-access-token)")
    .option("--token-bearer", "https: send the token as a bearer token")
    .option("--source-ca <file>", "https: PEM of the authorities to trust instead of the system's")
    .option("--source-proxy <url>", "http(s): HTTP proxy to go through, or `env` for what HTTPS_PROXY and NO_PROXY say")
    .option("--source-proxy-auth <file>", "http(s): file with user:password for the proxy")
    .option("--source-no-proxy <hosts>", "http(s): hosts reached without the proxy, a,b,c", (text: string) => text.split(","))
    .option("--source-key <file>", "ssh: private key, or the .pub file of one that ssh-agent holds")
    .addOption(
      new Option("--source-host-key <key>", "ssh: key the git server shows (ssh-ed25519 AAAA…); may be given again").argParser(more),
    )
    .option("--source-known-hosts <file>", "ssh: known_hosts file with the keys of the git server");
}

export function accessOf(flags: AccessFlags): AccessFiles {
  return {
    tokenFile: flags.tokenFile,
    tokenUser: flags.tokenUser,
    tokenForm: flags.tokenBearer === true ? "bearer" : "basic",
    caFile: flags.sourceCa,
    proxy: flags.sourceProxy,
    proxyAuthFile: flags.sourceProxyAuth,
    noProxy: flags.sourceNoProxy,
    keyFile: flags.sourceKey,
    hostKeys: flags.sourceHostKey,
    knownHostsFile: flags.sourceKnownHosts,
  };
}
