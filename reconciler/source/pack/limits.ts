import { MooringError } from "#base/errors/index.ts";

/** What a pack may cost us. Whoever serves the repository chooses every number in a pack, so each is held against one of these before memory or time
 *  is spent on it. */
export type PackLimits = {
  /** Of the pack as it arrives. */
  readonly packBytes: number;
  readonly objects: number;
  /** Of one object, unpacked. */
  readonly objectBytes: number;
  /** Of everything that is unpacked and put together on the way: what stops packs of few bytes that unpack to terabytes. */
  readonly workBytes: number;
  /** Deltas upon deltas; git itself never writes more than 4,095 (pack.depth). */
  readonly depth: number;
};

export const PACK_LIMITS: PackLimits = {
  packBytes: 256 << 20,
  objects: 400_000, // each costs some 500 bytes of memory and 10 µs while it is indexed (measured)
  objectBytes: 100 << 20, // the largest file GitHub takes: such a commit must be refused, and the next one still be fetched
  // 10,000 machines in one folder and 1,000 commits unpack to 0.5 GB (measured, 2026-11); SHA-1 and copying run at about 1 GB/s.
  workBytes: 16 * 2 ** 30,
  depth: 4_095,
};

/** What arrived is not a pack we take. */
export function refusedPack(why: string, cause?: unknown): MooringError {
  return new MooringError("SOURCE_PACK_REFUSED", "a pack of the source", { why, cause });
}

export function tooLarge(why: string): MooringError {
  return new MooringError("SOURCE_TOO_LARGE", "a pack of the source", { why });
}
