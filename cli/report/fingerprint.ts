import { createHash } from "node:crypto";
import type { Finding } from "#reconciler/desired/index.ts";

/** What a finding is, whatever line it is on now, each different: a forge knows it again after lines moved. Made of rule, kind, name and path; of those
 *  that still are one the second gets a number. In the order of `findings`. Pure. */
export function fingerprints(findings: readonly Finding[]): readonly string[] {
  const seen = new Map<string, number>();
  return findings.map(({ code, rule, subject, file }) => {
    const id = JSON.stringify([code, rule ?? "", subject ?? "", subject === undefined ? file : ""]);
    const before = seen.get(id) ?? 0;
    seen.set(id, before + 1);
    return createHash("sha256")
      .update(before === 0 ? id : `${id}:${before}`)
      .digest("hex");
  });
}

/** The rule that a finding breaks: its code, or the policy's validation under it. */
export function ruleOf({ code, rule }: Pick<Finding, "code" | "rule">): string {
  return rule === undefined ? code : `${code}/${rule}`;
}

/** A path as a relative URI. */
export function uriOf(file: string): string {
  return file
    .toWellFormed()
    .split("/")
    .map((part) => encodeURIComponent(part))
    .join("/");
}
