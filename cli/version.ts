import { readFileSync } from "node:fs";
import { MooringError } from "#base/errors/index.ts";

/** Version of the product, from package.json. */
export const VERSION: string = (
  JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { readonly version: string }
).version;

/** Throws NODE_VERSION below 24.16: where node_modules/.bin/node is missing an older Node of the system would run unseen. Pure. */
export function checkNode(version: string): void {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > 24 || (major === 24 && minor >= 16)) return;
  throw new MooringError("NODE_VERSION", `mooring under Node ${version}`, { why: "it needs 24.16 or later" });
}
