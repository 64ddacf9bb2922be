import type { parse } from "@bufbuild/cel";

/** A node of a parsed expression. */
export type Expr = ReturnType<typeof parse>["expr"];
export type Kind = Expr["exprKind"];

/** A parsed expression with its text; `positions` = offset in the text by node id. */
export type Ast = { readonly text: string; readonly expr: Expr; readonly positions: Readonly<Record<string, number>> };

/** The parts of a node, in the order of the text. */
export function children(expr: Expr): readonly Expr[] {
  const kind = expr.exprKind;
  switch (kind.case) {
    case "selectExpr":
      return present([kind.value.operand]);
    case "callExpr":
      return present([kind.value.target, ...kind.value.args]);
    case "listExpr":
      return kind.value.elements;
    case "structExpr":
      return kind.value.entries.flatMap((entry) =>
        present([entry.keyKind.case === "mapKey" ? entry.keyKind.value : undefined, entry.value]),
      );
    case "comprehensionExpr": {
      const { iterRange, accuInit, loopCondition, loopStep, result } = kind.value;
      return present([iterRange, accuInit, loopCondition, loopStep, result]);
    }
    case "identExpr":
    case "constExpr":
    case undefined:
      return [];
    default:
      return kind satisfies never;
  }
}

function present(list: readonly (Expr | undefined)[]): readonly Expr[] {
  return list.filter((item): item is Expr => item !== undefined);
}

/** Levels of the tree, or `limit` when there are that many or more. Does not recurse. */
export function depthOf(expr: Expr, limit: number): number {
  let level: readonly Expr[] = [expr];
  let depth = 0;
  for (; level.length > 0 && depth < limit; depth++) level = level.flatMap(children);
  return depth;
}

/** Name of the function or operator of a call, else null. */
export function callOf(expr: Expr): { readonly name: string; readonly target: Expr | undefined; readonly args: readonly Expr[] } | null {
  const kind = expr.exprKind;
  return kind.case === "callExpr" ? { name: kind.value.function, target: kind.value.target, args: kind.value.args } : null;
}

export const isAnd = (expr: Expr): boolean => callOf(expr)?.name === "_&&_";
export const isOr = (expr: Expr): boolean => callOf(expr)?.name === "_||_";

/** The macros `all` and `exists` as the parser unfolds them. */
export type Quantifier = {
  readonly kind: "all" | "exists";
  readonly variable: string;
  readonly range: Expr;
  readonly predicate: Expr;
};

export function quantifierOf(expr: Expr): Quantifier | null {
  if (expr.exprKind.case !== "comprehensionExpr") return null;
  const { iterVar, iterRange, loopStep, accuVar, result } = expr.exprKind.value;
  const step = loopStep === undefined ? null : callOf(loopStep);
  const [accu, predicate] = step?.args ?? [];
  const isPlain = identOf(result) === accuVar && identOf(accu) === accuVar;
  if (!isPlain || iterRange === undefined || predicate === undefined || step?.target !== undefined) return null;
  const kind = step?.name === "_&&_" ? "all" : step?.name === "_||_" ? "exists" : null;
  return kind === null ? null : { kind, variable: iterVar, range: iterRange, predicate };
}

export function identOf(expr: Expr | undefined): string | null {
  return expr?.exprKind.case === "identExpr" ? expr.exprKind.value.name : null;
}

/** The value of a literal, undefined for anything else. */
export function literalOf(expr: Expr | undefined): string | bigint | number | boolean | undefined {
  if (expr?.exprKind.case !== "constExpr") return undefined;
  const { value } = expr.exprKind.value.constantKind;
  return typeof value === "string" || typeof value === "bigint" || typeof value === "number" || typeof value === "boolean"
    ? value
    : undefined;
}

/** Where a node stands in the text: its first visible character. */
export function offsetOf(ast: Ast, expr: Expr): number {
  let at = ast.positions[String(expr.id)] ?? 0;
  while (/\s/.test(ast.text[at] ?? "")) at++;
  return at;
}

/** Where the whole of a node begins and ends, roughly: from its first part to the end of its last token. */
export function spanOf(ast: Ast, expr: Expr): { readonly offset: number; readonly length: number } {
  const offsets: number[] = [];
  const ends: number[] = [];
  const stack: Expr[] = [expr];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (ast.positions[String(node.id)] !== undefined) {
      const at = offsetOf(ast, node);
      offsets.push(at);
      ends.push(tokenEnd(ast.text, at));
    }
    const own = quantifierOf(node);
    stack.push(...(own === null ? children(node) : [own.range, own.predicate]));
  }
  const offset = Math.min(...offsets, ast.text.length);
  return { offset, length: Math.max(1, Math.max(...ends, 0) - offset) };
}

function tokenEnd(text: string, at: number): number {
  const rest = text.slice(at);
  const token = /^(\.?\s*[A-Za-z_]\w*|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[\d.]+|&&|\|\||[=!<>]=|.)/su.exec(rest);
  return at + (token?.[0].length ?? 1);
}
