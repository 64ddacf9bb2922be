import { CATALOG } from "#base/errors/index.ts";
import type { Finding, Level } from "#reconciler/desired/index.ts";
import type { Review } from "../review/index.ts";
import { VERSION } from "../version.ts";
import { fingerprints, ruleOf, uriOf } from "./fingerprint.ts";
import { oneLine } from "./plain.ts";

type Elsewhere = Pick<Finding, "file" | "line" | "col" | "endLine" | "endCol">;

const LEVELS: Readonly<Record<Level, string>> = { error: "error", warning: "warning", notice: "note" };

/** GitHub refuses a run with more; findings come sorted by severity. */
const MAX_RESULTS = 25_000;

/** SARIF 2.1.0 of the findings. Without `$schema`: validators would fetch it. Pure. */
export function renderSarif({ findings: all }: Pick<Review, "findings">): string {
  const findings = all.slice(0, MAX_RESULTS);
  const ids = [...new Set(findings.map(ruleOf))].toSorted();
  const prints = fingerprints(findings);
  const run = {
    tool: {
      driver: {
        name: "mooring",
        semanticVersion: VERSION,
        rules: ids.map((id) => ruleObject(id, findings)),
      },
    },
    columnKind: "utf16CodeUnits",
    results: findings.map((item, i) => resultOf(item, ids.indexOf(ruleOf(item)), prints[i]!)),
  };
  return `${JSON.stringify({ version: "2.1.0", runs: [run] }, null, 2)}\n`;
}

function ruleObject(id: string, findings: readonly Finding[]): unknown {
  const { code, level } = findings.find((item) => ruleOf(item) === id)!;
  return {
    id: oneLine(id),
    shortDescription: { text: oneLine(id.replaceAll("_", " ").toLowerCase()) },
    help: { text: CATALOG[code].fix },
    defaultConfiguration: { level: LEVELS[level] },
  };
}

function resultOf(item: Finding, ruleIndex: number, print: string): unknown {
  return {
    ruleId: oneLine(ruleOf(item)),
    ruleIndex,
    level: LEVELS[item.level],
    message: { text: `${oneLine(item.message)}\nfix: ${oneLine(item.fix)}` },
    locations: [locationOf(item)],
    ...(item.also === undefined || item.also.length === 0 ? {} : { relatedLocations: item.also.map(locationOf) }),
    partialFingerprints: { "mooring/v1": print },
  };
}

function locationOf(item: Elsewhere): unknown {
  return { physicalLocation: { artifactLocation: { uri: uriOf(item.file) }, region: regionOf(item) } };
}

/** An end before its start has none. */
function regionOf({ line, col, endLine, endCol }: Elsewhere): unknown {
  const isWhole = endLine > line || (endLine === line && endCol >= col);
  return isWhole ? { startLine: line, startColumn: col, endLine, endColumn: endCol } : { startLine: line, startColumn: col };
}
