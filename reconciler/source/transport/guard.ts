import { MooringError } from "#base/errors/index.ts";

export type Limits = {
  /** Of one answer. */
  readonly maxBytes: number;
  /** The longest silence inside an answer. */
  readonly idleMs: number;
};

/** `chunks` for as long as they keep coming and stay below the limit. `drop` ends the connection below: on a stall nobody else would. */
export async function* guarded(
  chunks: AsyncIterable<Uint8Array>,
  { maxBytes, idleMs }: Limits,
  where: string,
  drop: () => void,
): AsyncGenerator<Uint8Array> {
  const iterator = chunks[Symbol.asyncIterator]();
  let size = 0;
  let isOver = false;
  try {
    for (;;) {
      const step = await soon(iterator.next(), idleMs, where);
      if (step.done === true) {
        isOver = true;
        return;
      }
      size += step.value.length;
      if (size > maxBytes) throw new MooringError("SOURCE_TOO_LARGE", where, { why: `the answer is larger than ${maxBytes} bytes` });
      yield step.value;
    }
  } catch (cause) {
    if (cause instanceof MooringError) throw cause;
    throw new MooringError("SOURCE_UNREACHABLE", where, { why: "the answer broke off", cause });
  } finally {
    if (!isOver) drop();
  }
}

/** `work`, or SOURCE_UNREACHABLE after `ms` without it. */
export async function soon<T>(work: Promise<T>, ms: number, where: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new MooringError("SOURCE_UNREACHABLE", where, { why: `nothing came for ${ms} ms` })), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
