import { parseArgs } from "node:util";
import { parseBlob } from "#reconciler/desired/index.ts";
import { HOSTILE, type HostileCase } from "#test/documents/hostile.ts";

const BUDGET_MS = 200;
const RUNS = 5;

type Timed = {
  readonly name: string;
  readonly bytes: number;
  readonly code: string;
  readonly problems: number;
  readonly firstMs: number;
  readonly cpuMs: number;
  readonly ms: number;
};

/** How long the reader takes to refuse each hostile file: the first reading, the median of five, and CPU a reading. */
export function measureYaml(words: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...words], options: { json: { type: "boolean", default: false } } });
  const cases = HOSTILE.map(timed);
  const worst = cases.reduce((a, b) => (b.ms > a.ms ? b : a));
  if (values.json) process.stdout.write(`${JSON.stringify({ budgetMs: BUDGET_MS, worstMs: worst.ms, worst: worst.name, cases })}\n`);
  else {
    for (const { name, bytes, code, ms } of cases)
      process.stdout.write(`${ms.toFixed(1).padStart(7)} ms ${String(bytes).padStart(7)} B  ${name}: ${code}\n`);
    process.stdout.write(
      `worst ${worst.ms.toFixed(1)} ms (${worst.name}), budget ${BUDGET_MS} ms: ${worst.ms <= BUDGET_MS ? "met" : "MISSED"}\n`,
    );
  }
  return Promise.resolve();
}

function timed({ name, bytes }: HostileCase): Timed {
  const times: number[] = [];
  const cpu = process.cpuUsage();
  let problems = parseBlob(new Uint8Array()).problems;
  for (let run = 0; run < RUNS; run++) {
    const start = performance.now();
    ({ problems } = parseBlob(bytes));
    times.push(Math.round((performance.now() - start) * 10) / 10);
  }
  const ms = times.toSorted((a, b) => a - b)[RUNS >> 1]!;
  const { user, system } = process.cpuUsage(cpu);
  const cpuMs = Math.round((user + system) / 100 / RUNS) / 10;
  return { name, bytes: bytes.length, code: problems[0]?.code ?? "none", problems: problems.length, firstMs: times[0]!, cpuMs, ms };
}
