import { MooringError } from "#base/errors/index.ts";
import type { IncomingMessage } from "node:http";
import type * as z from "zod/mini";

/** The one JSON value in `bytes`, of this form. Throws REQUEST_MALFORMED with the place, never with what stood there. */
export function parseBody<T>(bytes: Uint8Array, schema: z.ZodMiniType<T>): T {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new MooringError("REQUEST_MALFORMED", "a body that is not JSON", { cause });
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const where = issue?.path.slice(0, 6).map(String).join(".").slice(0, 120) ?? "";
  throw new MooringError("REQUEST_MALFORMED", `a body of another form${where === "" ? "" : ` at ${where}`}`, {
    why: issue?.code ?? "invalid",
    cause: parsed.error,
  });
}

/** The body; BODY_STALLED when no byte comes for `stallMs`, so that a slow sender holds nothing for long. The request stays open for an answer. */
export async function* paced(req: IncomingMessage, size: number, stallMs: number): AsyncGenerator<Uint8Array> {
  const parts = req.iterator({ destroyOnReturn: false });
  let left = size;
  for (;;) {
    const part = await nextPart(parts, stallMs);
    if (part === null) break;
    left -= part.length;
    yield part;
  }
  if (left !== 0) throw new MooringError("REQUEST_MALFORMED", "the body was cut");
}

async function nextPart(parts: AsyncIterator<unknown>, stallMs: number): Promise<Uint8Array | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new MooringError("BODY_STALLED", `nothing more of a body for ${stallMs} ms`)), stallMs);
  });
  const next = parts.next().catch((cause: unknown) => {
    throw new MooringError("REQUEST_MALFORMED", "the body was cut", { cause });
  });
  next.catch(() => null); // after a stall nobody waits for it
  try {
    const { done, value } = await Promise.race([next, late]);
    return done === true ? null : (value as Uint8Array);
  } finally {
    clearTimeout(timer);
  }
}
