import type { Out } from "../io.ts";
import { hubClient } from "./client.ts";

/** `mooring reconcile [MACHINE…]`: asks the hub to look at the source and these machines (all when none is named) now. It changes nothing itself. */
export async function reconcile(options: { readonly hub: string; readonly machines: readonly string[] }, out: Out): Promise<number> {
  await hubClient(options.hub).reconcile(options.machines);
  out.write(`asked for a look at ${options.machines.length === 0 ? "all machines" : options.machines.join(", ")}\n`);
  return 0;
}
