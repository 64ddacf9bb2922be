import type { HubStatus } from "#schemas/wire/index.ts";
import type { Out } from "../io.ts";
import { hubClient } from "./client.ts";
import { machinesText } from "./get.ts";
import { roleWords } from "../role-words.ts";
import { age, plain, table } from "./table.ts";

/** `mooring status`: what runs, what waits for whom, what is refused and why, whom each class trusts, how the machines are. */
export async function status(
  options: { readonly hub: string; readonly output: "text" | "json" },
  out: Out,
  nowMs: number,
): Promise<number> {
  const found = await hubClient(options.hub).status();
  out.write(options.output === "json" ? `${JSON.stringify(found, null, 2)}\n` : statusText(found, nowMs));
  return 0;
}

/** Pure. */
export function statusText(found: HubStatus, nowMs: number): string {
  const parts = [head(found, nowMs), awaiting(found), refused(found), trusts(found), machines(found, nowMs)];
  return parts.filter((part) => part !== "").join("\n");
}

function head({ fleet, hub, source, release }: HubStatus, nowMs: number): string {
  const runs = release === null ? "nothing is released yet" : `release ${release.serial}, until ${release.expires.slice(0, 10)}`;
  const lines = [
    `fleet    ${fleet ?? "-"}: ${runs}`,
    `source   ${plain(source.url)}, looked at ${source.checkedAt === null ? "never" : `${age(source.checkedAt, nowMs)} ago`}`,
    `main     ${short(source.head)}${source.head === source.target ? ", runs" : `; ${short(source.target)} runs`}`,
    `hub      ${plain(hub.version)}, uid ${hub.uid}, up ${age(hub.startedAt, nowMs)}`,
  ];
  for (const item of [source.error, source.warning, release?.warning])
    if (item != null)
      lines.push(`         ${plain(item.code)}: ${plain(item.message)}`, ...labelled("why", item.why), ...labelled("fix", item.fix));
  return `${lines.join("\n")}\n`;
}

function awaiting({ awaiting: waits, trusts: roles }: HubStatus): string {
  if (waits === null) return "";
  const what = `AwaitingRelease: main ${short(waits.revision)}`;
  if (waits.missing.length === 0) return `${what}: no release for it yet; \`mooring release\` makes one\n`;
  const rows = waits.missing.map(({ role, classes, have, need, principals }) => {
    const left = principals.filter((principal) => !have.includes(principal));
    const touch = roles[role]?.touch === "required" ? " (touch)" : "";
    return [role, `${Math.max(0, need - have.length)} of ${left.join(", ")}${touch}`, classes.join(", "), have.join(", ")].map(plain);
  });
  return `${what} needs\n${table(["ROLE", "WHO", "FOR", "SIGNED"], rows).replaceAll(/^/gm, "  ").trimEnd()}\n`;
}

function refused({ refused: found }: HubStatus): string {
  if (found === null) return "";
  const lines = found.findings.flatMap(({ file, line, col, code, message, fix }) => [
    `  ${plain(file)}:${line}:${col} ${plain(code)} ${plain(message)}`,
    `    fix: ${plain(fix)}`,
  ]);
  return `refused: main ${short(found.revision)}; what ran before goes on running\n${lines.join("\n")}\n`;
}

function trusts({ trusts: roles }: HubStatus): string {
  const rows = Object.entries(roles).map(([role, rule]) => `${role}: ${plain(roleWords(rule))}`);
  return rows.length === 0 ? "" : `trust    ${rows.join(" · ")}\n`;
}

function machines({ machines: items }: HubStatus, nowMs: number): string {
  const ready = items.filter(({ conditions }) => conditions.some(({ type, status }) => type === "Ready" && status === "True")).length;
  return items.length === 0 ? "no machines\n" : `${machinesText(items, "table", nowMs)}${ready} of ${items.length} ready\n`;
}

function labelled(label: string, text: string | undefined): readonly string[] {
  return text === undefined || text === "" ? [] : [`           ${label}: ${plain(text)}`];
}

function short(revision: string | null): string {
  return revision === null ? "-" : plain(revision.slice(0, 8));
}
