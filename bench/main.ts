import { formatError, MooringError } from "#base/errors/index.ts";
import { measureNoop } from "./noop/noop.ts";
import { measurePlan } from "./plan/plan.ts";
import { measurePolicy } from "./policy/policy.ts";
import { measureSource } from "./source/source.ts";
import { measureYaml } from "./yaml/yaml.ts";

/** `npm run -s bench -- NAME [flags]`. Each bench cleans up after itself, also when it fails; numbers go to stdout, progress to stderr. */
const BENCHES: Readonly<Record<string, (words: readonly string[]) => Promise<void>>> = {
  noop: measureNoop,
  plan: measurePlan,
  policy: measurePolicy,
  source: measureSource,
  yaml: measureYaml,
};

const [name = "", ...words] = process.argv.slice(2);
const bench = BENCHES[name];
if (bench === undefined) {
  process.stderr.write(`no bench "${name}"; there are: ${Object.keys(BENCHES).join(", ")}. See bench/README.md.\n`);
  process.exitCode = 1;
} else {
  try {
    await bench(words);
  } catch (err) {
    // A bench is for developers: what is no error of ours comes with its stack.
    process.stderr.write(`${err instanceof Error && !(err instanceof MooringError) ? (err.stack ?? err.message) : formatError(err)}\n`);
    process.exitCode = 1;
  }
}
