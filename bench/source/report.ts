export type SourceResult = {
  readonly files: number;
  readonly poll: {
    readonly requests: number;
    readonly bytes: number;
    readonly refsBytes: number;
    readonly wallMs: number;
    readonly cpuMs: number;
  };
  readonly oneFile: {
    readonly bytes: number;
    readonly fetchMs: number;
    /** Tree diff, the changed document read and parsed. */
    readonly parseMs: number;
    readonly worstParseMs: number;
  };
  readonly coldStart: {
    readonly requests: number;
    readonly bytes: number;
    readonly wallMs: number;
    readonly cpuMs: number;
    readonly rssMb: number;
  };
  readonly restart: { readonly bytes: number; readonly cpuMs: number; readonly rssMb: number };
  readonly watch: { readonly noticeMs: number; readonly worstMs: number };
  readonly form: string;
  readonly machine: { readonly cpu: string; readonly cores: number; readonly load: readonly number[]; readonly node: string };
};

type Row = readonly [what: string, value: number, unit: string, below: number | null];

/** The result beside its budgets, for a person. Budgets are for 10,000 files. Pure. */
export function tableOf({ files, poll, oneFile, coldStart, restart, watch, form, machine }: SourceResult): string {
  const rows: readonly Row[] = [
    ["poll, nothing new: requests", poll.requests, "", 3],
    ["poll: bytes of references", poll.refsBytes, "B", 301],
    ["poll: all bytes", poll.bytes, "B", null],
    ["poll: wall", poll.wallMs, "ms", null],
    ["poll: CPU", poll.cpuMs, "ms", null],
    ["one file: bytes, most", oneFile.bytes, "B", 10_000],
    ["one file: fetch, wall", oneFile.fetchMs, "ms", null],
    ["one file: diff and parse", oneFile.parseMs, "ms", 150],
    ["cold start: bytes", coldStart.bytes, "B", null],
    ["cold start: wall", coldStart.wallMs, "ms", null],
    ["cold start: CPU", coldStart.cpuMs, "ms", 2_000],
    ["cold start: resident, most", coldStart.rssMb, "MB", 300],
    ["restart with the copy: CPU", restart.cpuMs, "ms", null],
    ["local change noticed", watch.noticeMs, "ms", 150],
    ["local change, worst", watch.worstMs, "ms", 150],
  ];
  const lines = rows.map(([what, value, unit, below]) => {
    const verdict =
      below === null || files !== 10_000 ? "" : `${value < below ? "within" : "OVER"} the budget of < ${below} ${unit}`.trimEnd();
    return `  ${what.padEnd(28)} ${String(value).padStart(10)} ${unit.padEnd(3)} ${verdict}`.trimEnd();
  });
  const on = `${machine.cpu}, ${machine.cores} cores, load ${machine.load.join(" ")}, Node ${machine.node}`;
  return `source, ${files} files\n${lines.join("\n")}\n\n${form}\nOn ${on}.\n`;
}
