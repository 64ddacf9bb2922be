import { malformed, splitCommit } from "./split.ts";

/** Who wrote or committed: `at` in seconds since 1970, `zone` as written. All of it is claimed by the author, nothing proven. */
export type GitPerson = { readonly name: string; readonly email: string; readonly at: number; readonly zone: string };

export type GitCommit = {
  readonly tree: string;
  readonly parents: readonly string[];
  readonly author: GitPerson;
  readonly committer: GitPerson;
  readonly message: string;
  readonly signature: string | null;
  readonly payload: Uint8Array;
};

/** An annotated tag; its signature, if any, is still inside `message`. */
export type GitTag = {
  readonly object: string;
  readonly type: string;
  readonly tag: string;
  readonly tagger: GitPerson | null;
  readonly message: string;
};

const OID = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;
const PERSON = /^(.*?) ?<([^<>\n]*)> (\d{1,15}) ([+-]\d{4})$/;

/** A commit object's content, strictly in git's order: tree, parents, author, committer, then whatever else. Throws GIT_OBJECT_MALFORMED. */
export function parseCommit(raw: Uint8Array): GitCommit {
  const { payload, signature } = splitCommit(raw);
  const { headers, message } = headersOf(payload);
  const names = headers.map(([name]) => name);
  const parents = names.filter((name) => name === "parent").length;
  const order = ["tree", ...Array.from({ length: parents }, () => "parent"), "author", "committer"];
  if (order.some((name, i) => names[i] !== name)) throw malformed("headers of a commit out of order");
  if (["tree", "author", "committer"].some((name) => names.indexOf(name) !== names.lastIndexOf(name)))
    throw malformed("a header of a commit comes twice");
  const value = (i: number): string => headers[i]![1];
  return {
    tree: oid(value(0)),
    parents: headers.slice(1, 1 + parents).map(([, id]) => oid(id)),
    author: person(value(1 + parents)),
    committer: person(value(2 + parents)),
    message,
    signature,
    payload,
  };
}

/** An annotated tag's content. Throws GIT_OBJECT_MALFORMED. */
export function parseTag(raw: Uint8Array): GitTag {
  const { headers, message } = headersOf(raw);
  const [object, type, tag, tagger] = headers;
  if (object?.[0] !== "object" || type?.[0] !== "type" || tag?.[0] !== "tag") throw malformed("headers of a tag out of order");
  return { object: oid(object[1]), type: type[1], tag: tag[1], tagger: tagger?.[0] === "tagger" ? person(tagger[1]) : null, message };
}

function headersOf(bytes: Uint8Array): { readonly headers: readonly (readonly [string, string])[]; readonly message: string } {
  const text = Buffer.from(bytes).toString("utf8");
  const split = text.indexOf("\n\n");
  if (split < 0) throw malformed("headers that do not end");
  if (text.slice(0, split).includes("\u0000")) throw malformed("a NUL in a header");
  const lines = text.slice(0, split).replaceAll("\n ", "\u0000").split("\n");
  const headers = lines.map((line) => {
    const space = line.indexOf(" ");
    if (space <= 0) throw malformed("a header without a name");
    return [line.slice(0, space), line.slice(space + 1).replaceAll("\u0000", "\n")] as const;
  });
  return { headers, message: text.slice(split + 2) };
}

function oid(text: string): string {
  if (!OID.test(text)) throw malformed("an object id that is not hex");
  return text;
}

function person(text: string): GitPerson {
  const match = PERSON.exec(text);
  if (match === null) throw malformed("an author or committer of another form");
  return { name: match[1]!, email: match[2]!, at: Number(match[3]), zone: match[4]! };
}
