/** What a bundle may hold at most; a reader given smaller numbers refuses earlier. */
export type Limits = {
  /** Bytes of the .tgz. */
  readonly archiveBytes: number;
  /** Bytes of all files together. */
  readonly treeBytes: number;
  readonly files: number;
  /** Segments of one path. */
  readonly depth: number;
};

/** Twenty times the largest bundled OpenClaw plugin measured (5.2 MB, 3,837 files, 2026-11), and as deep as WIRE allows. */
export const LIMITS: Limits = { archiveBytes: 100 * 1024 * 1024, treeBytes: 100 * 1024 * 1024, files: 10_000, depth: 32 };
