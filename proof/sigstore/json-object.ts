import { isJsonObject, type Json, type JsonObject } from "#base/canonical/index.ts";
import type { MooringError } from "#base/errors/index.ts";

/** The object that `bytes` are in strict UTF-8 JSON, at most `maxBytes` long; throws what `malformed` makes. */
export function jsonObject(bytes: Uint8Array, maxBytes: number, malformed: (why: string, cause?: unknown) => MooringError): JsonObject {
  if (bytes.length > maxBytes) throw malformed(`it has more than ${maxBytes} bytes`);
  let value: Json;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) as Json;
  } catch (cause) {
    throw malformed("it is not JSON in UTF-8", cause);
  }
  if (!isJsonObject(value)) throw malformed("it is not an object");
  return value;
}
