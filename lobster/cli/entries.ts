import { join } from "node:path";

/** Where the programs of this build are: beside each other as bundles, or the sources they are made from. */
export type Entries = {
  readonly agent: string;
  readonly bridge: string;
  readonly egress: string;
  readonly unpack: string;
  readonly verifyLog: string;
};

/** The entries that belong to the running agent, whose file is `main` (absolute). Pure. */
export function entriesOf(main: string): Entries {
  const folder = join(main, "..");
  if (main.endsWith(".mjs")) {
    const at = (name: string): string => join(folder, name);
    return { agent: main, bridge: at("bridge.mjs"), egress: at("egress.mjs"), unpack: at("unpack.mjs"), verifyLog: at("verify-log.mjs") };
  }
  const at = (path: string): string => join(folder, "../..", path);
  return {
    agent: main,
    bridge: at("enclave-bridge/device/main.ts"),
    egress: at("egress/main.ts"),
    unpack: at("bundle/read/child.ts"),
    verifyLog: at("enclave-bridge/device/verify-log.ts"),
  };
}
