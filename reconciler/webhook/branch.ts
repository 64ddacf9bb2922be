/** The branch that a forge's event is about, or null when it doesn't say. It only ever spares a look at the source: no other word of a body is read. Pure. */
export function branchOf(body: Uint8Array): string | null {
  let event: unknown;
  try {
    event = JSON.parse(Buffer.from(body).toString("utf8"));
  } catch {
    return null; // a form, or no JSON at all: then one look more
  }
  const ref: unknown = typeof event === "object" && event !== null ? Reflect.get(event, "ref") : null;
  return typeof ref === "string" && ref.startsWith("refs/heads/") ? ref.slice("refs/heads/".length) : null;
}
