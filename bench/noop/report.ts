export type NoopResult = {
  readonly hosts: number;
  readonly sweep: { readonly wallMs: number; readonly hubCpuMs: number };
  readonly rehash: { readonly wallMs: number; readonly hubCpuMs: number; readonly hostCpuMs: number };
  readonly idle: { readonly requests: number; readonly hubCpuPct: number };
  readonly hubRssMb: number;
  /** What stood behind the numbers, in words. */
  readonly form: string;
  readonly machine: {
    readonly cpu: string;
    readonly cores: number;
    readonly load: readonly number[];
    readonly node: string;
    readonly ssh2Addon: boolean;
  };
};

type Row = readonly [what: string, value: number, unit: string, below: number | null];

/** The result beside its budgets (DESIGN §14), for a person. Budgets are for 100 hosts. Pure. */
export function tableOf(result: NoopResult): string {
  const { sweep, rehash, idle, machine } = result;
  const rows: readonly Row[] = [
    ["sweep, wall", sweep.wallMs, "ms", 25],
    ["sweep, hub CPU", sweep.hubCpuMs, "ms", 15],
    ["re-hash, wall", rehash.wallMs, "ms", 600],
    ["re-hash, hub CPU", rehash.hubCpuMs, "ms", null],
    ["re-hash, CPU of all hosts", rehash.hostCpuMs, "ms", null],
    ["idle, requests sent", idle.requests, "", 1],
    ["idle, hub CPU", idle.hubCpuPct, "%", 0.3],
    ["hub, resident", result.hubRssMb, "MB", null],
  ];
  const lines = rows.map(([what, value, unit, below]) => {
    const verdict =
      below === null || result.hosts !== 100 ? "" : `${value < below ? "within" : "OVER"} the budget of < ${below} ${unit}`.trimEnd();
    return `  ${what.padEnd(26)} ${String(value).padStart(9)} ${unit.padEnd(3)} ${verdict}`.trimEnd();
  });
  const on = `${machine.cpu}, ${machine.cores} cores, load ${machine.load.join(" ")}, Node ${machine.node}, ssh2's addon ${machine.ssh2Addon ? "loaded" : "NOT loaded"}`;
  return `noop, ${result.hosts} hosts\n${lines.join("\n")}\n\n${result.form}\nOn ${on}.\n`;
}
