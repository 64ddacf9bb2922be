import { resolve } from "node:path";
import { type Command, Option } from "commander";
import type { Digest } from "#base/canonical/index.ts";
import { DEPS, digestOf } from "./options.ts";
import type { Result } from "./result.ts";

/** Commands for jobs of a forge: action.yml and examples/ci run them. */
export function addCiCommands(program: Command, result: Result): void {
  const group = program.command("ci").description("review a change in CI, and post what it says");
  const folder = (): Option => new Option("--out <dir>", "folder for the files").default("mooring-review");
  group
    .command("plan")
    .description("review what the job's event is about: annotations, step summary, files; no token, no network")
    .option("--repo <dir>", "the checkout", ".")
    .addOption(folder())
    .addOption(new Option("--trust-root <leaf>", "whom to believe about signatures").env("MOORING_TRUST_ROOT").argParser(rootOf))
    .action(async ({ repo, out, trustRoot }: { repo: string; out: string; trustRoot?: Digest | null }) => {
      const { ciPlan } = await import("../ci/index.ts");
      const options = { repo: resolve(repo), out: resolve(out), trustRoot: trustRoot ?? null };
      result.code = await ciPlan(options, process.env, process.stdout, DEPS);
    });
  group
    .command("post")
    .description("post the two statuses and the comment that `ci plan` left; needs GITHUB_TOKEN")
    .addOption(folder())
    .addOption(new Option("--bot <login>", "our login there").default("github-actions[bot]").env("MOORING_BOT"))
    .action(async ({ out, bot }: { out: string; bot: string }) => {
      const { ciPost } = await import("../ci/index.ts");
      const { sleep } = await import("#base/time/index.ts");
      result.code = await ciPost({ out: resolve(out), bot }, process.env, process.stdout, { sleep, ...DEPS });
    });
}

/** An input that was left empty is none. */
function rootOf(text: string): Digest | null {
  return text === "" ? null : digestOf(text);
}
