import { type CelFunc, celFunc, CelScalar } from "@bufbuild/cel";
import type { Branch, ExpressionPath } from "../program.ts";
import { type Ast, callOf, type Expr, isAnd, isOr, literalOf, quantifierOf, spanOf } from "./ast.ts";
import { rewrite } from "./rewrite.ts";

const { DYN, INT } = CelScalar;
const SEEN = "@seen"; // no text can call a function of this name

/** Watches which parts of expressions gave true and which gave false. */
export type Cover = {
  readonly func: CelFunc;
  /** The expression, with each part of interest watched. */
  watch(ast: Ast, path: ExpressionPath): Expr;
  branches(): readonly Branch[];
};

export function newCover(): Cover {
  const watched: {
    readonly path: ExpressionPath;
    readonly offset: number;
    readonly length: number;
    readonly seen: Set<boolean>;
    isOther: boolean;
  }[] = [];
  return {
    func: celFunc(SEEN, [INT, DYN], DYN, (index, value) => {
      const own = watched[Number(index)];
      if (typeof value === "boolean") own?.seen.add(value);
      else if (own !== undefined) own.isOther = true;
      return value;
    }),
    watch(ast, path) {
      const interesting = partsOf(ast.expr);
      const indexes = new Map<bigint, number>();
      for (const part of interesting)
        indexes.set(part.id, watched.push({ path, ...spanOf(ast, part), seen: new Set(), isOther: false }) - 1);
      return rewrite(ast.expr, (node) => {
        const index = indexes.get(node.id);
        return index === undefined ? node : call(node, index);
      });
    },
    branches: () => watched.map(({ seen, ...branch }) => ({ ...branch, seen: [...seen] })),
  };
}

/** The whole, the sides of && and ||, conditions, what all() and exists() ask of each item; nothing that is a literal. */
function partsOf(root: Expr): readonly Expr[] {
  const found = new Map<bigint, Expr>();
  const add = (part: Expr): void => {
    if (literalOf(part) === undefined) found.set(part.id, part);
  };
  const look = (expr: Expr): void => {
    const loop = quantifierOf(expr);
    const parts = loop === null ? [...childrenOf(expr)] : [loop.range, loop.predicate];
    if (loop !== null) sides(loop.predicate);
    if (isAnd(expr) || isOr(expr)) for (const side of parts) sides(side);
    if (callOf(expr)?.name === "_?_:_" && parts[0] !== undefined) sides(parts[0]);
    for (const part of parts) look(part);
  };
  /** An && of &&s is judged by its own sides. */
  const sides = (expr: Expr): void => {
    if (isAnd(expr) || isOr(expr)) for (const side of callOf(expr)!.args) sides(side);
    else add(expr);
  };
  add(root);
  look(root);
  return [...found.values()];
}

function childrenOf(expr: Expr): readonly Expr[] {
  const call = callOf(expr);
  if (call !== null) return call.target === undefined ? call.args : [call.target, ...call.args];
  const kind = expr.exprKind;
  if (kind.case === "listExpr") return kind.value.elements;
  // filter() and map() with a condition: their step is `condition ? result + item : result`.
  if (kind.case === "comprehensionExpr") return [kind.value.iterRange, kind.value.loopStep].filter((part) => part !== undefined);
  if (kind.case === "selectExpr") return kind.value.operand === undefined ? [] : [kind.value.operand];
  return [];
}

function call(node: Expr, index: number): Expr {
  const number: Expr = {
    ...node,
    exprKind: {
      case: "constExpr",
      value: { $typeName: "cel.expr.Constant", constantKind: { case: "int64Value", value: BigInt(index) } },
    },
  };
  return {
    ...node,
    exprKind: { case: "callExpr", value: { $typeName: "cel.expr.Expr.Call", function: SEEN, args: [number, node] } },
  };
}
