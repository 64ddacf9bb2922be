import type { Level } from "#reconciler/desired/index.ts";
import type { Review } from "../review/index.ts";
import { fingerprints, ruleOf } from "./fingerprint.ts";
import { oneLine } from "./plain.ts";

const SEVERITY: Readonly<Record<Level, string>> = { error: "critical", warning: "minor", notice: "info" };

/** GitLab's code quality report. Paths have no leading `./`, and of equal fingerprints GitLab keeps only one, so each differs. Pure. */
export function renderGitlab({ findings }: Pick<Review, "findings">): string {
  const prints = fingerprints(findings);
  const items = findings.map((item, i) => ({
    description: `${oneLine(item.message)} (fix: ${oneLine(item.fix)})`,
    check_name: oneLine(ruleOf(item)),
    fingerprint: prints[i],
    severity: SEVERITY[item.level],
    location: { path: item.file.replace(/^(?:\.\/)+/, ""), lines: { begin: item.line } },
  }));
  return `${JSON.stringify(items, null, 2)}\n`;
}
