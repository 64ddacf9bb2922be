import { join } from "node:path";
import type { Layout, Uids } from "../contract.ts";

/** Where things lie under `root`, which MUST be absolute. Pure. */
export function layoutOf(root: string): Layout {
  return {
    root,
    pins: join(root, "etc/pins.json"),
    state: join(root, "state"),
    content: join(root, "content"),
    generations: join(root, "generations"),
    bridge: join(root, "bridge"),
    run: join(root, "run"),
    plugins: join(root, "plugins"),
    bin: join(root, "bin"),
  };
}

/** The file in which `init` notes the uids of this machine, so that `serve` takes the same ones. */
export function uidsFile(layout: Layout): string {
  return join(layout.root, "etc/uids.json");
}

const PLUGIN_COUNT = 200; // far above the plugins of one machine; removed ones keep their uid while a file of theirs is left

/** The uids of a machine whose range starts at `first`: bridge, egress, the group of the ssh account (unless named), then one per plugin. Pure. */
export function uidsFrom(first: number, sshGid: number = first + 2): Uids {
  return { bridge: first, egress: first + 1, sshGid, pluginFirst: first + 10, pluginCount: PLUGIN_COUNT };
}

/** Where egress listens: in a folder of its own uid, since run/ is the agent's. */
export function egressSocket(layout: Layout): string {
  return join(layout.run, "egress/egress.sock");
}

/** The uid of the short-lived child that parses archives: the one after the plugins', so that it shares memory with nobody. */
export function unpackUid(uids: Uids): number {
  return uids.pluginFirst + uids.pluginCount;
}
