import type { SourceConfig } from "#reconciler/source/index.ts";

/** What the bench asks of the process that stands for the hub. */
export type ToHub =
  | { readonly ask: "cold"; readonly config: Pick<SourceConfig, "url" | "gitdir" | "branch" | "stateFile"> }
  | { readonly ask: "poll" }
  /** Main has one commit more, which changed one document. */
  | { readonly ask: "one" };

export type FromHub = {
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly rssMb: number;
  readonly files: number;
  readonly parseMs: number;
};
