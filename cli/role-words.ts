/** Whom a role trusts, in a few words: `hub`, `ci acme/fleet/.github/workflows/release.yml@refs/heads/main`, `2 of alice, bob, carol (touch)`. Of a role by: ci the
 *  one principal is its workflow. Pure. */
export function roleWords(rule: {
  readonly by: string;
  readonly principals: readonly string[];
  readonly threshold: number;
  readonly touch?: string | undefined;
}): string {
  if (rule.by === "hub") return "hub";
  if (rule.by === "ci") return `ci ${rule.principals.join(", ")}`;
  const touch = rule.touch === "required" ? " (touch)" : "";
  return `${rule.threshold} of ${rule.principals.join(", ")}${touch}`;
}
