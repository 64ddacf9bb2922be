import { nearest } from "../../desired/suggest.ts";
import type { ExpressionPath, ExpressionProblem } from "../program.ts";
import { type Ast, callOf, children, type Expr, identOf, literalOf, offsetOf, quantifierOf } from "./ast.ts";
import { ANY, elementOf, fieldOf, isShape, itemOf, oneOf, SCALAR, type Shape, valuesOf } from "./shape.ts";

/** What an expression may name: `roots` by name, `variables` = the policy's own that stand before it, `functions` it may call. */
export type Names = {
  readonly roots: ReadonlyMap<string, Shape>;
  readonly variables: ReadonlyMap<string, Shape>;
  readonly functions: readonly string[];
};

const TYPES = ["int", "uint", "double", "bool", "string", "bytes", "list", "map", "null_type", "type"];
const MACROS: Readonly<Record<string, string>> = {
  has: "has() takes a field, such as has(object.spec.expires)",
  all: "it takes a name and a condition, such as all(s, s.delivery == 'fd')",
  exists: "it takes a name and a condition, such as exists(s, s.delivery == 'fd')",
  exists_one: "it takes a name and a condition",
  map: "it takes a name and a value",
  filter: "it takes a name and a condition",
};

type Scope = ReadonlyMap<string, Shape>;

/** Names, fields and functions that do not exist, found before anything runs, and the shape of the result. Pure. */
export function checkExpression(
  ast: Ast,
  path: ExpressionPath,
  names: Names,
): { readonly shape: Shape; readonly problems: readonly ExpressionProblem[] } {
  const problems: ExpressionProblem[] = [];
  const report = (expr: Expr, word: string, message: string, known: readonly string[], fix?: string): Shape => {
    const at = wordAt(ast, offsetOf(ast, expr), word);
    const near = nearest(word, known);
    const hint = near === null ? fix : `did you mean \`${near}\`?`;
    problems.push({ path, offset: at, length: Math.max(1, word.length), message, ...(hint === undefined ? {} : { fix: hint }) });
    return ANY;
  };
  const infer = (expr: Expr, scope: Scope): Shape => {
    const kind = expr.exprKind;
    switch (kind.case) {
      case "identExpr":
        return ident(expr, kind.value.name, scope);
      case "selectExpr":
        return select(expr, kind.value.operand, kind.value.field, kind.value.testOnly, scope);
      case "callExpr":
        return call(expr, scope);
      case "comprehensionExpr":
        return comprehension(expr, scope);
      case "constExpr":
        return SCALAR;
      case "listExpr": {
        const items = kind.value.elements.map((item) => infer(item, scope));
        return { is: "list", of: items.length === 0 ? ANY : oneOf(items) };
      }
      case "structExpr":
        if (kind.value.messageName !== "") return report(expr, kind.value.messageName, "messages cannot be made here", []);
        for (const part of children(expr)) infer(part, scope);
        return ANY;
      case undefined:
        return ANY;
      default:
        return kind satisfies never;
    }
  };
  const ident = (expr: Expr, name: string, scope: Scope): Shape => {
    const shape = scope.get(name) ?? names.roots.get(name);
    if (shape !== undefined) return shape;
    if (TYPES.includes(name) || name.startsWith("@")) return ANY;
    if (name === "variables") return report(expr, name, "`variables` is read as variables.NAME", []);
    return report(expr, name, `there is no name \`${short(name)}\``, [...scope.keys(), ...names.roots.keys(), "variables"]);
  };
  const select = (expr: Expr, operand: Expr | undefined, field: string, isTest: boolean, scope: Scope): Shape => {
    if (identOf(operand) === "variables" && !scope.has("variables")) {
      const shape = names.variables.get(field);
      if (shape === undefined || isTest)
        return report(expr, field, `there is no variable \`${short(field)}\` before it`, [...names.variables.keys()]);
      return shape;
    }
    const found = fieldOf(operand === undefined ? ANY : infer(operand, scope), field);
    if (isShape(found)) return isTest ? SCALAR : found;
    const what = found.length === 0 ? `no field \`${short(field)}\`: this is no map` : `unknown field \`${short(field)}\``;
    return report(expr, field, what, found, found.length === 0 ? undefined : `what there is: ${found.slice(0, 12).join(", ")}`);
  };
  const call = (expr: Expr, scope: Scope): Shape => {
    const { name, target, args } = callOf(expr)!;
    if (MACROS[name] !== undefined) return report(expr, name, `\`${name}\` is used wrongly`, [], MACROS[name]);
    const inner = target === undefined || isNamespace(target, name, names.functions) ? null : infer(target, scope);
    const shapes = args.map((arg) => infer(arg, scope));
    if (name === "_?_:_") return oneOf(shapes.slice(1));
    if (name === "_==_" || name === "_!=_") for (const i of [0, 1]) compared(args[i], shapes[1 - i] ?? ANY);
    if (name === "@in") inList(args, shapes);
    if (name === "_[_]") return indexed(expr, shapes[0] ?? ANY, args[1], scope);
    if (!/^[A-Za-z]/.test(name)) return name === "_+_" ? ANY : SCALAR;
    const isQualified = inner === null && target !== undefined;
    if (!isQualified && !names.functions.includes(name))
      return report(expr, name, `there is no function \`${short(name)}\``, names.functions);
    return ANY;
  };
  /** A text that the other side can never be: `delivery != 'fdd'` would pass everything. */
  const compared = (text: Expr | undefined, other: Shape): void => {
    const value = literalOf(text);
    const values = valuesOf(other);
    if (text === undefined || typeof value !== "string" || values === null || values.length === 0 || values.includes(value)) return;
    report(text, value, `\`${short(value)}\` is no value of this field`, values, `it is one of ${values.slice(0, 12).join(", ")}`);
  };
  const inList = ([item, list]: readonly Expr[], [itemShape = ANY, listShape = ANY]: readonly Shape[]): void => {
    if (list?.exprKind.case === "listExpr") for (const one of list.exprKind.value.elements) compared(one, itemShape);
    if (listShape.is === "list") compared(item, listShape.of);
  };
  const indexed = (expr: Expr, base: Shape, key: Expr | undefined, scope: Scope): Shape => {
    const literal = key?.exprKind.case === "constExpr" ? key.exprKind.value.constantKind : undefined;
    if (literal?.case !== "stringValue" || base.is === "list") return elementOf(base);
    const found = fieldOf(base, literal.value);
    if (isShape(found)) return found;
    void scope;
    return report(expr, literal.value, `unknown field \`${short(literal.value)}\``, found);
  };
  const comprehension = (expr: Expr, scope: Scope): Shape => {
    if (expr.exprKind.case !== "comprehensionExpr") return ANY;
    const { iterRange, iterVar, accuVar, accuInit, loopStep } = expr.exprKind.value;
    if (iterRange === undefined || loopStep === undefined) return ANY;
    const range = infer(iterRange, scope);
    if (names.roots.has(iterVar) || iterVar === "variables") report(expr, iterVar, `\`${short(iterVar)}\` is taken; use another name`, []);
    const inside = new Map(scope).set(iterVar, itemOf(range)).set(accuVar, ANY);
    infer(loopStep, inside);
    if (quantifierOf(expr) !== null) return SCALAR;
    const isFilter = accuInit?.exprKind.case === "listExpr" && callOf(loopStep)?.name === "_?_:_";
    return isFilter ? { is: "list", of: itemOf(range) } : ANY;
  };
  const shape = infer(ast.expr, new Map());
  return { shape, problems };
}

/** Whether `target.name(…)` is one function with a dot in its name, such as strings.quote. */
function isNamespace(target: Expr, name: string, functions: readonly string[]): boolean {
  const head = identOf(target);
  return head !== null && functions.includes(`${head}.${name}`);
}

/** Where `word` begins at or after `from`: a node's position is that of its dot or bracket. */
function wordAt(ast: Ast, from: number, word: string): number {
  const at = word === "" ? -1 : ast.text.indexOf(word, from);
  return at < 0 || at - from > 200 ? from : at;
}

function short(word: string): string {
  return word.replaceAll(/[^\x20-\x7e]/g, "?").slice(0, 40);
}
