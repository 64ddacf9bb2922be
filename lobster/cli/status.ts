import { MooringError } from "#base/errors/index.ts";
import { agentStatus } from "#schemas/wire/index.ts";
import type { Admin } from "./admin.ts";

/** `status`: a table of plugins and the conditions, or the agent's answer as JSON. */
export async function statusText(admin: Admin, isJson: boolean): Promise<string> {
  const answer = await admin.json("GET", "/v1/status");
  if (isJson) return `${JSON.stringify(answer, null, 2)}\n`;
  const status = agentStatus.safeParse(answer);
  if (!status.success) throw new MooringError("AGENT_UNREACHABLE", "/v1/status: an answer that is not the agent's");
  const { plugins, conditions } = status.data;
  const rows = [
    ["NAME", "VERSION", "STATE", "HEALTH", "RESTARTS", "PID"],
    ...plugins.map((one) => [one.id, one.version, one.state, one.health, String(one.restarts), String(one.pid ?? "-")]),
  ];
  const reasons = conditions.map((one) => `${one.type}=${one.status}  ${one.reason}${one.message === "" ? "" : `  ${one.message}`}`);
  return `${table(rows)}${reasons.join("\n")}\n`;
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_cell, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join("   ")
          .trimEnd()}\n`,
    )
    .join("");
}
