import type { Login, PinnedHost } from "../../ssh/index.ts";
import type { Proxy } from "./proxy.ts";

/** How one gets in: what a server wants to see of us, and what we want to see of it. Secrets are asked for when they are needed and kept nowhere. */
export type Access = {
  readonly token?: (() => Promise<string> | string) | undefined;
  /** Sent with the token; most servers take any. */
  readonly tokenUser?: string | undefined;
  readonly tokenForm?: "basic" | "bearer" | undefined;
  /** PEM of the authorities to trust instead of the system's. */
  readonly ca?: string | undefined;
  readonly proxy?: Proxy | undefined;
  readonly ssh?: SshAccess | undefined;
};

export type SshAccess = {
  readonly login: () => Promise<Login> | Login;
  /** The keys that the host may show; throws SOURCE_MISCONFIGURED where none is known. */
  readonly pinsFor: (host: string, port: number) => Promise<PinnedHost["pins"]> | PinnedHost["pins"];
};
