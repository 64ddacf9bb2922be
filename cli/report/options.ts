/** What a writer may know beside the review. All of it can be left out. */
export type RenderOptions = {
  /** Columns of the terminal; null = as wide as it gets. */
  readonly width?: number | null;
  readonly color?: boolean;
  /** Text of a line of the head, for columns in bytes; null where it is not known. */
  readonly lineOf?: (file: string, line: number) => string | null;
  /** Where a forge shows a file: address of a commit's tree, ending in `/`, per revision. */
  readonly links?: { readonly base: string | null; readonly head: string | null };
  /** Of markdown: how long it may get, in characters of UTF-16 or in bytes. */
  readonly limit?: { readonly max: number; readonly in: "units" | "bytes" };
  /** A line that goes before all others, such as that a change touches the workflow that judges it. */
  readonly note?: string;
};
