/** What `npm run demo -- --once --json` prints. Every value was observed from outside the part it is about. */
export type Report = {
  readonly machines: number;
  readonly sshd: "openssh" | "embedded";
  readonly isolation: "uids" | "none";
  readonly converged: boolean;
  readonly readme: { readonly releaseNeeded: boolean };
  readonly roles: { readonly missing: readonly string[]; readonly refusedUntilSigned: boolean };
  readonly plugin: { readonly running: number; readonly secretDelivered: boolean };
  readonly bump: { readonly planned: number; readonly applied: number; readonly unreleasedRefused: boolean; readonly ms: number };
  readonly drift: {
    readonly injected: number;
    readonly corrected: number;
    readonly hubDownCorrected: boolean;
    readonly ms: readonly number[];
  };
  readonly forged: { readonly refused: boolean };
  readonly revoked: { readonly refused: boolean; readonly signers: number; readonly ms: number };
  readonly canary: { readonly found: number };
  readonly audit: { readonly entries: number; readonly verified: boolean };
};

/** The parts of the report in the order of the issue, as far as they were observed. */
export function reportOf(facts: Partial<Report>): Partial<Report> {
  const order: readonly (keyof Report)[] = [
    "machines",
    "sshd",
    "isolation",
    "converged",
    "readme",
    "roles",
    "plugin",
    "bump",
    "drift",
    "forged",
    "revoked",
    "canary",
    "audit",
  ];
  return Object.fromEntries(order.flatMap((name) => (facts[name] === undefined ? [] : [[name, facts[name]]])));
}

/** What is missing or not as it has to be, one line each; empty = all is well. Pure. */
export function faultsIn(facts: Partial<Report>): readonly string[] {
  const { converged, readme, roles, plugin, bump, drift, forged, revoked, canary, audit } = facts;
  const wanted: Readonly<Record<string, boolean>> = {
    "machines: three": facts.machines === 3,
    "converged: every machine runs what is released": converged === true,
    "readme: a typo needs no release": readme?.releaseNeeded === false,
    "roles: only access is missing, and nothing happens until it signs":
      roles?.refusedUntilSigned === true && roles.missing.join() === "access",
    "plugin: runs on three machines and has its secret": plugin?.running === 3 && plugin.secretDelivered,
    "bump: what was planned was applied, and only once released":
      bump !== undefined && bump.unreleasedRefused && bump.planned > 0 && bump.planned === bump.applied,
    "drift: what was injected was corrected, also without the hub":
      drift !== undefined && drift.injected === drift.corrected && drift.injected > 0 && drift.hubDownCorrected,
    "forged: refused": forged?.refused === true,
    "revoked: refused after one signature": revoked?.refused === true && revoked.signers === 1,
    "audit: verified": audit?.verified === true && audit.entries > 0,
    "canary: found nowhere": canary?.found === 0,
  };
  return Object.entries(wanted).flatMap(([what, is]) => (is ? [] : [what]));
}
