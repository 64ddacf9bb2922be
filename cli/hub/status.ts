import type { HubStatus, MachineStatus } from "#schemas/wire/index.ts";
import type { Out } from "../io.ts";
import { hubClient } from "./client.ts";
import { machinesText } from "./get.ts";
import { roleWords } from "../role-words.ts";
import { age, plain, table } from "./table.ts";

type ProblemView = NonNullable<MachineStatus["error"]>;

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
  const { source, release, machines } = found;
  const isSaid = release?.warning?.code === "RELEASE_EXPIRED" && found.awaiting?.problem?.code === "RELEASE_EXPIRED";
  const warnings = [source.error, source.warning, source.signing, isSaid ? null : release?.warning].flatMap((item) =>
    item == null ? [] : [problemText(item)],
  );
  const parts = [
    head(found, nowMs),
    ...warnings,
    awaiting(found),
    refused(found),
    trusts(found),
    machinesPart(found, nowMs),
    ...machineProblems(machines, release === null ? "" : `release ${found.running?.release ?? release.serial}`),
  ];
  return parts.filter((part) => part !== "").join("\n");
}

function head({ fleet, hub, source, release, running }: HubStatus, nowMs: number): string {
  const runs =
    release === null ? "nothing is released yet" : `release ${running?.release ?? release.serial}, until ${release.expires.slice(0, 10)}`;
  const signed = (running?.signed ?? []).join(", ");
  const main =
    source.head === null
      ? "not read yet"
      : source.head === source.target
        ? `${short(source.head)}, runs`
        : `${short(source.head)}; ${source.target === null ? "nothing" : short(source.target)} runs`;
  return [
    `fleet    ${plain(fleet ?? "-")}: ${runs}${signed === "" ? "" : `, signed by ${plain(signed)}`}`,
    `source   ${plain(source.url)}, looked at ${source.checkedAt === null ? "never" : `${age(source.checkedAt, nowMs)} ago`}`,
    `main     ${main}${running?.author == null ? "" : ` (by ${plain(running.author)})`}`,
    `hub      ${plain(hub.version)}, uid ${hub.uid}, up ${age(hub.startedAt, nowMs)}`,
    "",
  ].join("\n");
}

/** A refusal as `formatError` prints one. */
function problemText({ code, message, why, fix }: ProblemView): string {
  return [`${plain(code)}: ${plain(message)}`, ...labelled("why", why), ...labelled("fix", fix), ""].join("\n");
}

function labelled(label: string, text: string | undefined): readonly string[] {
  return text === undefined || text === "" ? [] : [`  ${label}: ${plain(text)}`];
}

function awaiting({ awaiting: waits, trusts: roles }: HubStatus): string {
  if (waits === null) return "";
  const rows = waits.missing.map(({ role, classes, have, need, principals, touch }) => {
    const left = principals.filter((principal) => !have.includes(principal));
    const touched = (touch ?? roles[role]?.touch) === "required" ? " (touch)" : "";
    return [role, `${Math.max(0, need - have.length)} of ${left.join(", ")}${touched}`, classes.join(", "), have.join(", ")].map(plain);
  });
  const head = ["  ROLE", "WHO", "FOR", "SIGNED"];
  const indented = rows.map(([role = "", ...more]) => [`  ${role}`, ...more]);
  const who = rows.length === 0 ? "" : table(head, indented);
  const { problem } = waits;
  if (problem === undefined) return `AwaitingRelease: ${commitText(waits)}\n${who}`;
  return `AwaitingRelease: ${plain(problem.message)} [${plain(problem.code)}]\n${who}${[...labelled("why", problem.why), ...labelled("fix", problem.fix), ""].join("\n")}`;
}

function refused({ refused: found }: HubStatus): string {
  if (found === null) return "";
  const release = found.release == null ? "" : `, released as ${plain(found.release)} by ${plain((found.signed ?? []).join(", "))}`;
  const lines = found.findings.flatMap(({ file, line, col, code, rule, message, fix }) => [
    `  ${plain(file)}:${line}:${col} ${plain(code)}${rule === undefined ? "" : ` (${plain(rule)})`} ${plain(message)}`,
    `    fix: ${plain(fix)}`,
  ]);
  return `refused: ${commitText(found)}${release}; what ran before goes on running\n${lines.join("\n")}\n`;
}

function commitText({ revision, author }: { readonly revision: string; readonly author?: string | null | undefined }): string {
  return `commit ${plain(revision.slice(0, 12))}${author == null ? "" : ` by ${plain(author)}`}`;
}

function trusts({ trusts: roles }: HubStatus): string {
  const rows = Object.entries(roles).map(([role, rule]) => `${role}: ${plain(roleWords(rule))}`);
  return rows.length === 0 ? "" : `trust    ${rows.join(" · ")}\n`;
}

function machinesPart({ machines: items }: HubStatus, nowMs: number): string {
  const ready = items.filter(({ conditions }) => conditions.some(({ type, status }) => type === "Ready" && status === "True")).length;
  return items.length === 0 ? "no machines\n" : `${machinesText(items, "table", nowMs)}${ready} of ${items.length} ready\n`;
}

/** What machines refuse, each refusal once with all whose it is, and what they were asked to run. */
function machineProblems(items: readonly MachineStatus[], release: string): readonly string[] {
  const groups = new Map<string, { readonly names: string[]; readonly item: MachineStatus; readonly error: ProblemView }>();
  for (const item of items) {
    if (item.error === null) continue;
    const { code, message, why } = item.error;
    const id = JSON.stringify([code, message.replaceAll(item.name, ""), why]);
    const known = groups.get(id);
    if (known === undefined) groups.set(id, { names: [item.name], item, error: item.error });
    else known.names.push(item.name);
  }
  return [...groups.values()].map(({ names, item, error }) => {
    const asked =
      item.lastAttemptedRevision === null ? "" : `, asked to run ${release} of commit ${item.lastAttemptedRevision.slice(0, 12)}`;
    const who = names.length > 5 ? `${names.slice(0, 5).join(", ")} and ${names.length - 5} more` : names.join(", ");
    return `${plain(`${who}${asked}`)}:\n${problemText(error).trimEnd().replaceAll(/^/gm, "  ")}\n`;
  });
}

function short(revision: string | null): string {
  return revision === null ? "-" : plain(revision.slice(0, 8));
}
