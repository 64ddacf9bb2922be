import type { Command } from "commander";
import type { Digest } from "#base/canonical/index.ts";
import { addSource, DEPS, digestOf, type SourceFlags, sourceOf } from "./options.ts";
import type { Result } from "./result.ts";
import { terminalIo } from "./terminal.ts";

/** `mooring release-ci`: `mooring release` for a workflow, which has no key but its own identity. */
export function addReleaseCiCommand(program: Command, result: Result): void {
  addSource(program.command("release-ci"))
    .description("in CI: sign what main asks for as the workflow this runs in, where roles are by: ci")
    .option("--renew", "make a new release although one covers main: before it expires")
    .option("--lifts <digest>", "end this revocation; may be given again", (text: string, all: Digest[] | undefined) => [
      ...(all ?? []),
      digestOf(text),
    ])
    .option("--fulcio <url>", "a certificate authority other than the public one")
    .option("--rekor <url>", "a transparency log other than the public one")
    .action(async (flags: SourceFlags & { renew?: boolean; lifts?: Digest[]; fulcio?: string; rekor?: string }) => {
      const { releaseAsWorkflow } = await import("../release/workflow.ts");
      const { renew = false, lifts = [], fulcio, rekor } = flags;
      result.code = await releaseAsWorkflow({ ...sourceOf(flags), renew, lifts, fulcio, rekor }, terminalIo(), DEPS);
    });
}
