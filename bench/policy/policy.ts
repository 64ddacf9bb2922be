import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { planFleet } from "#plan/index.ts";
import { timeOf } from "#base/time/index.ts";
import { readFolder } from "#cli/validate.ts";
import { demandFleet, type FleetFiles, type FleetRepo, loadFleet, newLoadCache, resolve } from "#reconciler/desired/index.ts";
import { judgePolicies } from "#reconciler/policy/index.ts";
import { genFleet } from "../../scripts/gen-fleet.ts";
import { median, rounded } from "../cpu.ts";

/** `npm run -s bench -- policy --machines 1000 --policies 5 --json`: judging changes of a fleet of that size. */
export async function measurePolicy(words: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...words],
    options: {
      machines: { type: "string", default: "1000" },
      policies: { type: "string", default: "5" },
      runs: { type: "string", default: "5" },
      json: { type: "boolean", default: false },
    },
  });
  const [machines, policies, runs] = [Number(values.machines), Number(values.policies), Number(values.runs)];
  const dir = mkdtempSync(join(tmpdir(), "bo-"));
  try {
    process.stderr.write(`a fleet of ${machines} machines …\n`);
    genFleet({ dir: join(dir, "fleet"), machines });
    const files = new Map([...(await readFolder(join(dir, "fleet"))), ...policyFiles(policies)]);
    const cache = newLoadCache();
    const read = async (tree: FleetFiles): Promise<FleetRepo> => demandFleet(await loadFleet(tree, { cache }));
    const base = await read(files);
    const trees = {
      allMs: await read(changed(files, /^machines\//)),
      oneMs: await read(changed(files, /^machines\/mini-00002/)),
      noneMs: base,
    };
    const result: Record<string, number> = { machines, policies };
    for (const [name, head] of Object.entries(trees)) result[name] = await timed(base, head, runs);
    process.stdout.write(values.json ? `${JSON.stringify(result)}\n` : `${textOf(result)}\n`);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** From documents in memory to findings, the worker's start included: as the hub and a plan have it. */
async function timed(base: FleetRepo, head: FleetRepo, runs: number): Promise<number> {
  const plan = planFleet(resolve(base), resolve(head));
  const commit = { id: null, author: "", time: timeOf(Date.now()), signed: false, signer: null };
  const times: number[] = [];
  for (let i = 0; i < runs; i++) {
    const start = performance.now();
    const { findings } = await judgePolicies({ base, head, plan, commit });
    times.push(performance.now() - start);
    if (findings.length > 0) throw new Error(`a policy of the bench found something: ${findings[0]?.message}`);
  }
  return rounded(median(times));
}

function policyFiles(count: number): FleetFiles {
  const text = (i: number): string => `apiVersion: mooring/v1
kind: Policy
metadata: { name: bench-${i} }
spec:
  match: { kinds: [Machine] }
  params: { sites: [fra, ams, nyc, sfo, lab-${i}] }
  validations:
    - expression: |
        object.spec.connect.addresses.all(a, a.endsWith('.example.net') && !a.startsWith('lab-${i}'))
          && (!has(object.metadata.labels.site) || object.metadata.labels.site in params.sites)
`;
  return fromText(Object.fromEntries(Array.from({ length: count }, (_, i) => [`policies/bench-${i}.yaml`, text(i)])));
}

function changed(files: FleetFiles, which: RegExp): FleetFiles {
  const texts: Record<string, string> = {};
  for (const [path, file] of files) {
    if (which.test(path))
      texts[path] = Buffer.from(file.read() as Uint8Array)
        .toString("utf8")
        .replace("mode: manage", "mode: observe");
  }
  return new Map([...files, ...fromText(texts)]);
}

function fromText(texts: Readonly<Record<string, string>>): FleetFiles {
  return new Map(Object.entries(texts).map(([path, text]) => [path, { oid: text, read: () => Buffer.from(text) }]));
}

function textOf({ machines, policies, allMs, oneMs, noneMs }: Readonly<Record<string, number>>): string {
  return `${machines} machines, ${policies} policies: all changed ${allMs} ms, one changed ${oneMs} ms, none ${noneMs} ms`;
}
