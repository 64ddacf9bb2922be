import { Listr } from "listr2";
import type { Say } from "./stage.ts";

/** A part of the story, told while it happens. */
export type Part = { readonly title: string; readonly run: (say: Say) => Promise<void> };

/** live = a terminal that redraws; plain = a line after the other; silent = nothing at all. */
export type Manner = "live" | "plain" | "silent";

/** Runs the parts one after the other and shows them; the first that fails ends the story with its error. */
export async function tell(parts: readonly Part[], manner: Manner): Promise<void> {
  if (manner === "live") await live(parts);
  else await plain(parts, manner === "plain" ? (line) => process.stdout.write(`${line}\n`) : () => undefined);
}

async function plain(parts: readonly Part[], write: Say): Promise<void> {
  for (const [i, { title, run }] of parts.entries()) {
    write(`${i === 0 ? "" : "\n"}${i + 1}/${parts.length} ${title}`);
    await run((line) => write(`    ${line}`));
  }
}

/** A list of its own for each part: what is told stays as it is, and only the present part is drawn again. */
async function live(parts: readonly Part[]): Promise<void> {
  for (const [i, { title, run }] of parts.entries()) {
    const task = {
      title: `${i + 1}/${parts.length} ${title}`,
      task: async (_: unknown, shown: { output: string }): Promise<void> => run((line) => (shown.output = line)),
    };
    const rendererOptions = { outputBar: Number.POSITIVE_INFINITY, persistentOutput: true } as const;
    // Signals are ours: the processes have to be ended first.
    await new Listr([{ ...task, rendererOptions }], {
      registerSignalListeners: false,
      exitOnError: true,
      rendererOptions: { collapseErrors: false },
    }).run();
  }
}
