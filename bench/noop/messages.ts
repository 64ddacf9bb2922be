import type { Digest } from "#base/canonical/index.ts";
import type { ApplyRequest, Pins } from "#schemas/wire/index.ts";

/** What the bench asks of a process that hosts agents. `init` answers the machine's signed statement, `start` its live root after the apply. */
export type ToHosts =
  | { readonly t: "init"; readonly root: string; readonly pins: Pins; readonly dist: string }
  | {
      readonly t: "start";
      readonly root: string;
      readonly pins: Pins;
      readonly dist: string;
      /** Group that may open agent.sock. */
      readonly gid: number;
      readonly apply: { readonly id: string; readonly body: ApplyRequest };
      /** Either the bundles' bytes, as a hub sends them, or the content store of a machine that has them. */
      readonly pack: { readonly digest: Digest; readonly base64: string } | null;
      readonly contentFrom: string | null;
    };
export type FromHosts = { readonly statement: string } | { readonly root: string };

export type HostAddress = {
  readonly name: string;
  readonly port: number;
  readonly username: string;
  readonly hostKey: string;
  readonly root: Digest;
};

/** What the bench asks of the hub process. */
export type ToHub =
  | { readonly t: "connect"; readonly hosts: readonly HostAddress[]; readonly privateKey: string }
  | { readonly t: "sweep" }
  | { readonly t: "rehash" }
  | { readonly t: "idle"; readonly seconds: number };

export type FromHub = {
  readonly wallMs: number;
  readonly cpuMs: number;
  /** HTTP requests this process began meanwhile. */
  readonly requests: number;
  readonly rssMb: number;
  readonly hasNativeCrypto: boolean;
};
