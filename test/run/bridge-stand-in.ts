/** A bridge without keys: it takes the descriptors, splits output into lines and answers each line that a plugin writes on fd 3 with `echo: …`. Run by
 *  `forkBridge` in tests of the supervisor, which know nothing of secrets. With `refuse` in its folder's name it takes no descriptor. */
import { Socket } from "node:net";
import { createInterface } from "node:readline";
import type { FromBridge, ToBridge } from "#bridge/client/ipc.ts";

const refuses = process.argv[2]?.includes("refuse") === true;
const send = (message: FromBridge): void => void process.send?.(message);

process.on("message", (message: ToBridge, handle: unknown) => {
  if (refuses && message.t === "attach") {
    const problem = { code: "BRIDGE_GONE", message: "no", fix: "none", disposition: "retry" } as const;
    return send({ t: "reply", id: message.id, ok: false, problem });
  }
  if (handle instanceof Socket) {
    handle.on("error", () => handle.destroy());
    const lines = createInterface({ input: handle });
    if (message.t === "output") {
      const { plugin, runSeq, stream } = message;
      lines.on("line", (text) => send({ t: "line", plugin, runSeq, stream, text }));
    }
    if (message.t === "attach") lines.on("line", (text) => handle.write(`echo: ${text}\n`));
  }
  send({ t: "reply", id: message.id, ok: true, value: null });
});
process.on("disconnect", () => process.exit(0));
send({ t: "ready", kx: "none", sig: "none", treeSize: 0 });
