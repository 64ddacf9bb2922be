import { parseDocument } from "yaml";
import type { Digest } from "#base/canonical/index.ts";
import { MooringError } from "#base/errors/index.ts";
import type { Time } from "#base/time/index.ts";
import * as z from "zod/mini";

export type NewVersion = { readonly version: number; readonly file: string; readonly digest: Digest; readonly created: Time };

const known = z.object({
  apiVersion: z.literal("mooring/v1"),
  kind: z.literal("Secret"),
  metadata: z.object({ name: z.string() }),
  spec: z.object({ current: z.int(), versions: z.record(z.string().check(z.regex(/^[1-9]\d{0,8}$/)), z.unknown()) }),
});

/** The version after all those the document names; 1 without a document. Throws FLEET_INVALID for a file that is not this secret's. */
export function nextVersion(text: string | null, name: string, path: string): number {
  if (text === null) return 1;
  const { spec } = read(text, name, path);
  return Math.max(0, spec.current, ...Object.keys(spec.versions).map(Number)) + 1;
}

/** The Secret document with one version more, which is the current one now; a person's comments and order stay. Pure. */
export function withVersion(text: string | null, name: string, path: string, added: NewVersion): string {
  const { version, file, digest, created } = added;
  if (text === null) return fresh(name, added);
  const { spec } = read(text, name, path);
  const document = parseDocument(text);
  document.setIn(["spec", "current"], version);
  document.setIn(["spec", "previous"], spec.current);
  document.setIn(["spec", "versions"], document.getIn(["spec", "versions"]));
  const key = document.createNode(String(version));
  key.type = "QUOTE_DOUBLE";
  document.addIn(["spec", "versions"], document.createPair(key, { file, digest, created }));
  return document.toString({ lineWidth: 0 });
}

function fresh(name: string, { version, file, digest, created }: NewVersion): string {
  return `apiVersion: mooring/v1
kind: Secret
metadata:
  name: ${name}
spec:
  current: ${version}
  versions:
    "${version}":
      file: ${file}
      digest: ${digest}
      created: ${created}
`;
}

function read(text: string, name: string, path: string): z.output<typeof known> {
  const document = parseDocument(text, { version: "1.2", uniqueKeys: true });
  const parsed = known.safeParse(document.errors.length > 0 ? null : document.toJS({ maxAliasCount: 0 }));
  if (!parsed.success) throw new MooringError("FLEET_INVALID", path, { why: "it is no Secret document" });
  if (parsed.data.metadata.name !== name) throw new MooringError("FLEET_INVALID", path, { why: `metadata.name is not ${name}` });
  return parsed.data;
}
