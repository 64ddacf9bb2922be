import { MooringError } from "#base/errors/index.ts";

/** Throws NODE_VERSION below 24.16: where node_modules/.bin/node is missing an older Node of the system would run unseen. Pure. */
export function checkNode(version: string): void {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > 24 || (major === 24 && minor >= 16)) return;
  throw new MooringError("NODE_VERSION", `openclaw-lobster under Node ${version}`, { why: "it needs 24.16 or later" });
}
