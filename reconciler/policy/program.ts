import type { Json } from "#base/canonical/index.ts";
import type { Kind } from "#schemas/fleet/index.ts";

/** One policy as the engine takes it: plain data, so that it can be handed to another thread. */
export type Program = {
  readonly name: string;
  /** What `object` may be: field names are held against these schemas. */
  readonly kinds: readonly Kind[];
  readonly params: Readonly<Record<string, Json>>;
  readonly variables: readonly { readonly name: string; readonly expression: string }[];
  readonly validations: readonly { readonly expression: string; readonly messageExpression?: string | undefined }[];
};

/** What is the same for every document of a change. */
export type Shared = { readonly fleet: Json; readonly plan: Json; readonly commit: Json };

/** What is one document's own. */
export type Subject = {
  readonly object: Json;
  readonly oldObject: Json;
  readonly change: Json;
  readonly machine: Json;
  readonly plugin: Json;
  readonly grant: Json;
};

/** Documents that are judged together. An engine copies a deck to its worker once, however many policies judge it; so keep it below some thousand. */
export type Deck = { readonly shared: Shared; readonly subjects: readonly Subject[] };

/** Names that expressions may use; a policy's own variables are read as `variables.NAME`. */
export const NAMES = [
  "object",
  "oldObject",
  "change",
  "machine",
  "plugin",
  "grant",
  "fleet",
  "plan",
  "commit",
  "params",
  "variables",
] as const;

/** Which expression of a policy, by its path below spec. */
export type ExpressionPath = readonly ["variables" | "validations", number, "expression" | "messageExpression"];

/** What is wrong at `offset` (UTF-16 units) of an expression, in our words. */
export type ExpressionProblem = {
  readonly path: ExpressionPath;
  readonly offset: number;
  readonly length: number;
  readonly message: string;
  readonly fix?: string;
};

/** Path in the document judged, such as ["spec", "secrets", 0, "delivery"]. */
export type FieldPath = readonly (string | number)[];

/** One validation on one document. Only `true` is a pass. */
export type Verdict =
  | true
  /** It gave false. `field` = what decided it, where that can be told. */
  | { readonly at: "unmet"; readonly field: FieldPath | null; readonly message: string | null }
  /** It gave an error, or no boolean. */
  | { readonly at: "failed"; readonly problem: ExpressionProblem };

/** A part of an expression that tests should see both ways: a whole validation, a side of && or ||, the condition of ?:. */
export type Branch = {
  readonly path: ExpressionPath;
  readonly offset: number;
  readonly length: number;
  readonly seen: readonly boolean[];
  /** It gave something else than a boolean, so it is no branch: a policy's variable that holds a list. */
  readonly isOther: boolean;
};

/** What two runs of the same expressions saw together. */
export function withSeen(before: readonly Branch[], now: readonly Branch[]): readonly Branch[] {
  if (before.length === 0) return now;
  return before.map((branch, i) => ({
    ...branch,
    seen: [...new Set([...branch.seen, ...(now[i]?.seen ?? [])])],
    isOther: branch.isOther || now[i]?.isOther === true,
  }));
}

export type Evaluation = {
  /** By subject, then by validation. */
  readonly verdicts: readonly (readonly Verdict[])[];
  /** Empty unless asked for. */
  readonly branches: readonly Branch[];
};
