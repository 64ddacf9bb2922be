import type { CelValue } from "@bufbuild/cel";
import { isCelList, isCelMap } from "@bufbuild/cel";
import type { FieldPath } from "../program.ts";
import { callOf, children, type Expr, identOf, isAnd, isOr, literalOf, quantifierOf } from "./ast.ts";

/** What a name stands for while a reason is looked for. */
export type Meaning = {
  /** Path in the document judged; null = it is not a part of it. */
  readonly path: FieldPath | null;
  /** The expression of a policy's own variable. */
  readonly expr?: Expr;
  readonly value?: CelValue;
};
export type Scope = ReadonlyMap<string, Meaning>;

/** Evaluates a part of the expression; anything but a value is null. */
export type Evaluate = (expr: Expr, scope: Scope) => CelValue | null;

/** The field that made `expr` give the opposite of `wanted`: of && the side that failed, of all() the item, of a comparison the field in it.
 *  Null where no part of the document judged decides it. Pure but for `evaluate`. */
export function blame(expr: Expr, wanted: boolean, scope: Scope, evaluate: Evaluate): FieldPath | null {
  const call = callOf(expr);
  if (call?.name === "!_" && call.args[0] !== undefined) return blame(call.args[0], !wanted, scope, evaluate);
  if (isAnd(expr) || isOr(expr)) {
    const parts = operands(expr, isAnd(expr) ? "_&&_" : "_||_");
    // One side alone decides "&& is false" and "|| is true". Else all of them do; the one that looks deepest into the document speaks for them, since
    // the others mostly guard it: !has(object.spec.sshd) || !object.spec.sshd.passwordAuthentication.
    const isDecided = isAnd(expr) === wanted;
    const guilty = isDecided ? parts.filter((part) => evaluate(part, scope) !== wanted).slice(0, 1) : parts;
    const found = guilty.map((part) => blame(part, wanted, scope, evaluate)).filter((path) => path !== null);
    return found.length === 0 ? null : found.reduce((best, path) => (path.length > best.length ? path : best));
  }
  if (call?.name === "_?_:_") return firstOf(taken(call.args, scope, evaluate), (part) => blame(part, wanted, scope, evaluate));
  const loop = quantifierOf(expr);
  if (loop !== null) return blameLoop(loop, wanted, scope, evaluate);
  const own = scope.get(identOf(expr) ?? "")?.expr;
  if (own !== undefined) return blame(own, wanted, scope, evaluate);
  return firstPath(expr, scope, evaluate);
}

function blameLoop(
  loop: NonNullable<ReturnType<typeof quantifierOf>>,
  wanted: boolean,
  scope: Scope,
  evaluate: Evaluate,
): FieldPath | null {
  const base = pathOf(loop.range, scope, evaluate);
  const range = evaluate(loop.range, scope);
  const items: readonly (readonly [string | number, CelValue])[] = isCelList(range)
    ? [...range].map((item, i) => [i, item])
    : isCelMap(range)
      ? [...range.keys()].map((key) => [typeof key === "string" ? key : "", key as CelValue])
      : [];
  // all() is false and exists() is true by one item; the other way round every item is a part of it.
  if ((loop.kind === "all") !== wanted) return base;
  for (const [key, value] of items) {
    const inside = new Map(scope).set(loop.variable, { path: base === null ? null : [...base, key], value });
    if (evaluate(loop.predicate, inside) === wanted) continue;
    return blame(loop.predicate, wanted, inside, evaluate) ?? (base === null ? null : [...base, key]);
  }
  return base;
}

function operands(expr: Expr, name: string): readonly Expr[] {
  const call = callOf(expr);
  return call?.name === name ? call.args.flatMap((arg) => operands(arg, name)) : [expr];
}

/** Of `condition ? yes : no` the side that was taken, then the condition. */
function taken([condition, yes, no]: readonly Expr[], scope: Scope, evaluate: Evaluate): readonly Expr[] {
  const chosen = condition !== undefined && evaluate(condition, scope) === true ? yes : no;
  return [chosen, condition].filter((part) => part !== undefined);
}

/** The first field of the document that an expression reads, in the order of its text. */
function firstPath(expr: Expr, scope: Scope, evaluate: Evaluate): FieldPath | null {
  const own = scope.get(identOf(expr) ?? "")?.expr;
  if (own !== undefined) return firstPath(own, scope, evaluate);
  const call = callOf(expr);
  const parts = call?.name === "_?_:_" ? taken(call.args, scope, evaluate) : children(expr);
  return pathOf(expr, scope, evaluate) ?? firstOf(parts, (part) => firstPath(part, scope, evaluate));
}

/** The path that an expression is, when it is nothing but one: object.spec.secrets[0].ref. */
function pathOf(expr: Expr, scope: Scope, evaluate: Evaluate): FieldPath | null {
  const name = identOf(expr);
  if (name !== null) {
    const meaning = scope.get(name);
    return meaning?.expr === undefined ? (meaning?.path ?? null) : pathOf(meaning.expr, scope, evaluate);
  }
  if (expr.exprKind.case === "selectExpr") {
    const { operand, field } = expr.exprKind.value;
    const base = operand === undefined ? null : pathOf(operand, scope, evaluate);
    return base === null ? null : [...base, field];
  }
  const call = callOf(expr);
  const [of, key] = call?.name === "_[_]" ? call.args : [];
  const base = of === undefined ? null : pathOf(of, scope, evaluate);
  if (base === null || key === undefined) return null;
  const at = literalOf(key) ?? evaluate(key, scope);
  return typeof at === "string" ? [...base, at] : typeof at === "bigint" ? [...base, Number(at)] : base;
}

function firstOf<T>(items: readonly T[], look: (item: T) => FieldPath | null): FieldPath | null {
  for (const item of items) {
    const found = look(item);
    if (found !== null) return found;
  }
  return null;
}
