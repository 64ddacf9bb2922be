import type { Readable, Writable } from "node:stream";
import { MooringError } from "#base/errors/index.ts";

/** What one secret may hold at most; vault and bridge refuse more. */
export const MAX_VALUE = 128 * 1024;

const ENTER = [0x0d, 0x0a];
const CTRL_C = 0x03;
const CTRL_D = 0x04;
const BACKSPACE = [0x7f, 0x08];

/** What stdin is, as far as we care. */
export type Input = Readable & { readonly isTTY?: boolean; setRawMode?(raw: boolean): unknown };

/** The value of a secret as bytes, never text, for the caller to zero: typed at a prompt without echo when `input` is a terminal, else all that
 *  is piped in, less one line break at the end. Never from argv or environment, which every process of the machine can read. Throws SECRET_EMPTY,
 *  SECRET_TOO_LARGE, USAGE when the person breaks off. */
export async function readValue(input: Input, output: Writable, prompt: string): Promise<Buffer> {
  const value = input.isTTY === true ? await readHidden(input, output, prompt) : withoutBreak(await readAll(input));
  if (value.length > 0) return value;
  throw new MooringError("SECRET_EMPTY", "an empty secret");
}

/** Collects bytes in one buffer, so that there is one place to zero. */
async function readAll(input: Readable): Promise<Buffer> {
  const value = Buffer.alloc(MAX_VALUE + 2);
  let size = 0;
  for await (const chunk of input as AsyncIterable<Buffer>) {
    const fits = size + chunk.length <= value.length;
    if (fits) chunk.copy(value, size);
    size += chunk.length;
    chunk.fill(0);
    if (!fits) throw tooLarge(value);
  }
  return value.subarray(0, size);
}

function withoutBreak(value: Buffer): Buffer {
  const lf = value.at(-1) === 0x0a ? 1 : 0;
  const cr = lf === 1 && value.at(-2) === 0x0d ? 1 : 0;
  const cut = value.subarray(0, value.length - lf - cr);
  if (cut.length > MAX_VALUE) throw tooLarge(value);
  return cut;
}

async function readHidden(input: Input, output: Writable, prompt: string): Promise<Buffer> {
  const value = Buffer.alloc(MAX_VALUE);
  output.write(prompt);
  input.setRawMode?.(true);
  try {
    return value.subarray(0, await typed(input, value));
  } finally {
    input.setRawMode?.(false);
    input.pause();
    output.write("\n");
  }
}

/** How many bytes were typed into `value` before Enter. */
function typed(input: Input, value: Buffer): Promise<number> {
  let size = 0;
  return new Promise((resolve, reject) => {
    const end = (settle: () => void): void => {
      input.off("data", onData);
      input.off("end", onEnd);
      settle();
    };
    const onEnd = (): void => end(() => resolve(size));
    const onData = (chunk: Buffer): void => {
      for (const byte of chunk) {
        if (ENTER.includes(byte) || byte === CTRL_D) return end(() => resolve(size));
        if (byte === CTRL_C)
          return end(() => reject(new MooringError("USAGE", "secret-ref add", { why: "broken off; nothing was changed" })));
        if (BACKSPACE.includes(byte)) size = beforeLast(value, size);
        else if (size === MAX_VALUE) return end(() => reject(tooLarge(value)));
        else value[size++] = byte;
      }
      chunk.fill(0);
    };
    input.on("data", onData);
    input.once("end", onEnd);
  });
}

/** The size without the last character, which may be several bytes of UTF-8. */
function beforeLast(value: Buffer, size: number): number {
  let at = size;
  while (at > 0 && ((value[at - 1] ?? 0) & 0xc0) === 0x80) at -= 1;
  return Math.max(0, at - 1);
}

function tooLarge(value: Buffer): MooringError {
  value.fill(0);
  return new MooringError("SECRET_TOO_LARGE", `a value of more than ${MAX_VALUE} bytes`);
}
