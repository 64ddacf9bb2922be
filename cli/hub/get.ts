import type { MachineStatus } from "#schemas/wire/index.ts";
import type { Out } from "../io.ts";
import { hubClient, type PluginRow } from "./client.ts";
import { age, plain, table } from "./table.ts";

export type Output = "table" | "wide" | "json" | "name";
export type GetOptions = { readonly hub: string; readonly output: Output };

/** `mooring get machines`. */
export async function getMachines({ hub, output }: GetOptions, out: Out, nowMs: number): Promise<number> {
  const items = await hubClient(hub).machines();
  out.write(machinesText(items, output, nowMs));
  return 0;
}

/** `mooring get plugins`. */
export async function getPlugins({ hub, output }: GetOptions, out: Out, nowMs: number): Promise<number> {
  const items = await hubClient(hub).plugins();
  out.write(pluginsText(items, output, nowMs));
  return 0;
}

/** Pure. */
export function machinesText(items: readonly MachineStatus[], output: Output, nowMs: number): string {
  if (output === "json") return `${JSON.stringify({ items }, null, 2)}\n`;
  if (output === "name") return items.map(({ name }) => `machine/${name}\n`).join("");
  if (items.length === 0) return "no machines\n";
  const isWide = output === "wide";
  const head = ["NAME", "READY", "STATUS", "SYNC", "RELEASE", "GENERATION", "SEEN"];
  const more = isWide ? ["MODE", "LEASE", "REVISION", "ROOT", "MESSAGE"] : [];
  return table(
    [...head, ...more],
    items.map((item) => [...machineRow(item, nowMs), ...(isWide ? wideRow(item) : [])]),
  );
}

function machineRow(item: MachineStatus, nowMs: number): readonly string[] {
  const ready = item.conditions.find(({ type }) => type === "Ready");
  return [
    item.name,
    ready?.status ?? "Unknown",
    plain(item.error?.code ?? ready?.reason ?? ""),
    !item.reachable ? "unreachable" : item.inSync ? "in sync" : "drift",
    item.release === null ? "" : String(item.release),
    item.generation === item.observedGeneration ? String(item.generation) : `${item.observedGeneration}/${item.generation}`,
    age(item.lastSeen, nowMs),
  ];
}

function wideRow({ mode, lease, lastAppliedRevision, root, error, conditions }: MachineStatus): readonly string[] {
  const message = error?.message ?? conditions.find(({ type }) => type === "Ready")?.message ?? "";
  return [mode, plain(lease?.until ?? ""), lastAppliedRevision?.slice(0, 8) ?? "", root?.slice(0, 15) ?? "", plain(message)];
}

/** Pure. */
export function pluginsText(items: readonly PluginRow[], output: Output, nowMs: number): string {
  if (output === "json") return `${JSON.stringify({ items }, null, 2)}\n`;
  if (output === "name") return items.map(({ machine, id }) => `plugin/${machine}/${plain(id)}\n`).join("");
  if (items.length === 0) return "no plugins\n";
  const isWide = output === "wide";
  return table(
    ["MACHINE", "PLUGIN", "VERSION", "STATE", "HEALTH", "RESTARTS", "AGE", ...(isWide ? ["PID", "LAST EXIT"] : [])],
    items.map((item) => [...pluginRow(item, nowMs), ...(isWide ? [String(item.pid ?? ""), exitText(item)] : [])]),
  );
}

function pluginRow({ machine, id, version, state, health, restarts, since }: PluginRow, nowMs: number): readonly string[] {
  return [machine, plain(id), plain(version), state, health, String(restarts), age(since, nowMs)];
}

function exitText({ lastExit }: PluginRow): string {
  if (lastExit === null || lastExit === undefined) return "";
  return lastExit.signal === null ? `code ${lastExit.code ?? "?"}` : plain(lastExit.signal);
}
