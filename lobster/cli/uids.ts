import * as z from "zod/mini";
import { readIfThere } from "#base/durable/index.ts";
import { MooringError } from "#base/errors/index.ts";
import type { Uids } from "../contract.ts";
import { layoutOf, uidsFile, uidsFrom } from "../init/layout.ts";
import type { Args } from "./args.ts";

const id = z.int().check(z.positive());
const schema = z.strictObject({ bridge: id, egress: id, pluginFirst: id, pluginCount: id, sshGid: id });

/** Under which uids this call works: those named, else those that `init` noted; null only with --insecure-one-uid. Throws ONE_UID when the
 *  processes would share a uid and nobody asked for that: then each of them could read the others' memory and files. */
export async function uidsOf(args: Args, uid: number): Promise<Uids | null> {
  if (args.isOneUid) return null;
  if (uid !== 0)
    throw new MooringError("ONE_UID", `openclaw-lobster ${args.command} as uid ${uid}`, {
      why: "only root can give bridge, egress and plugins uids of their own",
    });
  if (args.uids !== null) return uidsFrom(args.uids, args.sshGid ?? undefined);
  const file = uidsFile(layoutOf(args.root));
  const bytes = await readIfThere(file);
  if (bytes === null)
    throw new MooringError("ONE_UID", `openclaw-lobster ${args.command}: no uids`, {
      why: `there is no ${file}`,
      fix: "add --uids FIRST, the first of 211 unused uids",
    });
  return parsed(bytes, file);
}

function parsed(bytes: Uint8Array, file: string): Uids {
  try {
    return schema.parse(JSON.parse(Buffer.from(bytes).toString("utf8")));
  } catch (cause) {
    throw new MooringError("UIDS_UNREADABLE", `${file}: not the uids of a machine`, { cause });
  }
}
