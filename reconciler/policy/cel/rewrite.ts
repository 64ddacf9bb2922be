import type { Expr } from "./ast.ts";
import { identOf } from "./ast.ts";

/** A copy of the tree in which `change` may put another node in the place of one; it sees a node after its parts were changed. */
export function rewrite(expr: Expr, change: (node: Expr) => Expr): Expr {
  const go = (part: Expr): Expr => rewrite(part, change);
  const maybe = (part: Expr | undefined): Expr | undefined => (part === undefined ? undefined : go(part));
  const kind = expr.exprKind;
  const own = (exprKind: Expr["exprKind"]): Expr => change({ ...expr, exprKind });
  switch (kind.case) {
    case "selectExpr":
      return own({ case: kind.case, value: withPart(kind.value, "operand", maybe(kind.value.operand)) });
    case "callExpr":
      return own({
        case: kind.case,
        value: withPart({ ...kind.value, args: kind.value.args.map(go) }, "target", maybe(kind.value.target)),
      });
    case "listExpr":
      return own({ case: kind.case, value: { ...kind.value, elements: kind.value.elements.map(go) } });
    case "structExpr":
      return own({ case: kind.case, value: { ...kind.value, entries: kind.value.entries.map((entry) => entryOf(entry, go)) } });
    case "comprehensionExpr": {
      let value = kind.value;
      for (const part of ["iterRange", "accuInit", "loopCondition", "loopStep", "result"] as const)
        value = withPart(value, part, maybe(value[part]));
      return own({ case: kind.case, value });
    }
    case "identExpr":
    case "constExpr":
    case undefined:
      return change(expr);
    default:
      return kind satisfies never;
  }
}

/** `variables.NAME` as one name, which the evaluator looks up as it is: an error in a variable stays an error where it is read. */
export function nameVariables(expr: Expr): Expr {
  return rewrite(expr, (node) => {
    if (node.exprKind.case !== "selectExpr" || identOf(node.exprKind.value.operand) !== "variables") return node;
    const name = `variables.${node.exprKind.value.field}`;
    return { ...node, exprKind: { case: "identExpr", value: { $typeName: "cel.expr.Expr.Ident", name } } };
  });
}

function withPart<T extends object, K extends keyof T>(value: T, key: K, part: T[K] | undefined): T {
  return part === undefined ? value : { ...value, [key]: part };
}

type Entry = Extract<Expr["exprKind"], { case: "structExpr" }>["value"]["entries"][number];

function entryOf(entry: Entry, go: (part: Expr) => Expr): Entry {
  const keyKind = entry.keyKind.case === "mapKey" ? { case: "mapKey" as const, value: go(entry.keyKind.value) } : entry.keyKind;
  return withPart({ ...entry, keyKind }, "value", entry.value === undefined ? undefined : go(entry.value));
}
