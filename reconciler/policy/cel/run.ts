import { type CelEnv, type CelError, type CelInput, type CelValue, isCelError, plan } from "@bufbuild/cel";
import type { Evaluation, ExpressionPath, ExpressionProblem, FieldPath, Program, Verdict } from "../program.ts";
import { type Ast, type Expr, offsetOf } from "./ast.ts";
import { bind, type Bindings, type BoundDeck } from "./bind.ts";
import { blame, type Meaning, type Scope } from "./blame.ts";
import { checkExpression } from "./check.ts";
import { newCover } from "./cover.ts";
import { environment, functionNames } from "./functions.ts";
import { isAst, readExpression } from "./read.ts";
import { nameVariables } from "./rewrite.ts";
import type { Shape } from "./shape.ts";
import { shapesOf } from "./variables.ts";

type Run = (bindings: Bindings) => unknown;
/** `expr` = the expression as it is evaluated, without what watches it. */
type Runnable = { readonly ast: Ast; readonly expr: Expr; readonly path: ExpressionPath; readonly run: Run };

/** A policy ready to judge documents. */
export type Compiled = {
  readonly problems: readonly ExpressionProblem[];
  /** Only when there are no problems. Never throws for what a policy does. */
  evaluate(deck: BoundDeck, which: readonly number[]): Evaluation;
};

/** Reads and checks all expressions of a policy. With `cover` each evaluation says which branches it took. */
export function compile(program: Program, options: { readonly cover?: boolean } = {}): Compiled {
  const cover = options.cover === true ? newCover() : null;
  const env = environment(cover === null ? [] : [cover.func]);
  const { asts, problems } = readAll(program);
  if (problems.length > 0) return { problems, evaluate: () => failed("the policy has mistakes") };
  const runnable = (path: ExpressionPath): Runnable | null => {
    const ast = asts.get(path.join("."));
    if (ast === undefined) return null;
    const isWatched = cover !== null && path[2] === "expression";
    const expr = nameVariables(ast.expr);
    return { ast, expr, path, run: runOf(env, isWatched ? nameVariables(cover.watch(ast, path)) : expr) };
  };
  const variables = program.variables.map(({ name }, i) => ({ name, own: runnable(["variables", i, "expression"])! }));
  const validations = program.validations.map((_, i) => ({
    rule: runnable(["validations", i, "expression"])!,
    message: runnable(["validations", i, "messageExpression"]),
  }));
  const judge = new Judge(env, variables);
  return {
    problems,
    evaluate(deck, which) {
      const params = bind({ params: program.params });
      const common = deck.shared === null || params === null ? null : Object.assign(params, deck.shared);
      const verdicts = which.map((index) => {
        const own = deck.subject(index);
        const bindings = common === null || own === null ? null : withVariables(common, own, variables);
        return validations.map(({ rule, message }) =>
          bindings === null
            ? failedVerdict(rule, rule.ast.expr, "a list of the document has too many items")
            : judge.verdict(rule, message, bindings),
        );
      });
      return { verdicts, branches: cover?.branches() ?? [] };
    },
  };
}

function failed(why: string): never {
  throw new Error(why);
}

/** Parses and checks in the order of the document: a variable may use those before it. */
function readAll(program: Program): { readonly asts: ReadonlyMap<string, Ast>; readonly problems: readonly ExpressionProblem[] } {
  const asts = new Map<string, Ast>();
  const problems: ExpressionProblem[] = [];
  const [roots, functions] = [shapesOf(program), functionNames()];
  const variables = new Map<string, Shape>();
  const take = (text: string, path: ExpressionPath): Shape | null => {
    const ast = readExpression(text);
    if (!isAst(ast)) {
      problems.push({ path, ...ast });
      return null;
    }
    asts.set(path.join("."), ast);
    const checked = checkExpression(ast, path, { roots, variables, functions });
    problems.push(...checked.problems);
    return checked.shape;
  };
  for (const [i, { name, expression }] of program.variables.entries()) {
    const path: ExpressionPath = ["variables", i, "expression"];
    if (variables.has(name)) problems.push({ path, offset: 0, length: 1, message: `variable \`${name}\` stands here twice` });
    variables.set(name, take(expression, path) ?? { is: "any" });
  }
  for (const [i, { expression, messageExpression }] of program.validations.entries()) {
    take(expression, ["validations", i, "expression"]);
    if (messageExpression !== undefined) take(messageExpression, ["validations", i, "messageExpression"]);
  }
  return { asts, problems };
}

function runOf(env: CelEnv, expr: Expr): Run {
  return plan(env, expr) as Run;
}

type Variables = readonly { readonly name: string; readonly own: Runnable }[];

/** The bindings of one document. A variable is evaluated when it is first read, and once; its error is what it gives. */
function withVariables(common: Bindings, own: Bindings, variables: Variables): Bindings {
  const bindings = Object.assign(Object.create(null) as Bindings, common, own);
  for (const { name, own: variable } of variables) {
    const key = `variables.${name}`;
    Object.defineProperty(bindings, key, {
      configurable: true,
      enumerable: true,
      get() {
        const value = variable.run(bindings) as CelInput;
        Object.defineProperty(bindings, key, { value, enumerable: true });
        return value;
      },
    });
  }
  return bindings;
}

/** Turns results into verdicts. */
class Judge {
  readonly #env: CelEnv;
  readonly #variables: Variables;
  readonly #scope: Scope;
  readonly #parts = new WeakMap<Expr, Run>();

  constructor(env: CelEnv, variables: Variables) {
    this.#env = env;
    this.#variables = variables;
    const scope = new Map<string, Meaning>([["object", { path: [] }]]);
    for (const { name, own } of variables) scope.set(`variables.${name}`, { path: null, expr: own.expr });
    this.#scope = scope;
  }

  verdict(rule: Runnable, message: Runnable | null, bindings: Bindings): Verdict {
    const result = rule.run(bindings);
    if (result === true) return true;
    if (result === false) return { at: "unmet", field: this.#fieldOf(rule, bindings), message: textFrom(message, bindings) };
    if (!isCelError(result)) return failedVerdict(rule, rule.ast.expr, "it gives no boolean");
    const guilty = this.#variableOf(result, bindings) ?? rule;
    return failedVerdict(guilty, nodeOf(guilty.ast, result.exprId), reasonOf(result));
  }

  #fieldOf(rule: Runnable, bindings: Bindings): FieldPath | null {
    return blame(rule.expr, true, this.#scope, (expr, scope) => {
      const local = Object.create(bindings) as Bindings;
      for (const [name, { value }] of scope) if (value !== undefined) local[name] = value as CelInput;
      let run = this.#parts.get(expr);
      if (run === undefined) this.#parts.set(expr, (run = runOf(this.#env, expr)));
      const result = run(local);
      return isCelError(result) ? null : (result as CelValue);
    });
  }

  /** The variable that an error came from: one that was read and gave it. */
  #variableOf(err: CelError, bindings: Bindings): Runnable | null {
    for (const { name, own } of this.#variables) {
      const { value } = Object.getOwnPropertyDescriptor(bindings, `variables.${name}`) ?? {};
      if (isCelError(value) && value.exprId === err.exprId && value.message === err.message) return own;
    }
    return null;
  }
}

function textFrom(message: Runnable | null, bindings: Bindings): string | null {
  if (message === null) return null;
  const text = message.run(bindings);
  return typeof text === "string" ? text : null; // then the policy's plain message stands
}

function failedVerdict({ ast, path }: Runnable, node: Expr, message: string): Verdict {
  const offset = offsetOf(ast, node);
  return { at: "failed", problem: { path, offset, length: 1, message } };
}

/** The node an error came from; the whole expression where that can't be told. */
function nodeOf(ast: Ast, id: bigint | undefined): Expr {
  const at = id === undefined ? undefined : ast.positions[String(id)];
  return at === undefined || id === undefined ? ast.expr : { ...ast.expr, id };
}

/** The library's words can quote values of documents, so ours take their place. */
const REASONS: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [/field not found|no such (key|field)|key not found|unresolved attribute|not found/i, "a field or key that it reads is not there"],
  [/no matching overload|type mismatch|unbound function/i, "an operation between values that do not go together"],
  [/division|divide|modulus/i, "a division by zero"],
  [/out of (bounds|range)|overflow/i, "an index or number out of range"],
  [/too long/, "a text or list that grows too long"],
  [/stack/i, "it nests too deep"],
];

function reasonOf(err: Error): string {
  return REASONS.find(([pattern]) => pattern.test(err.message))?.[1] ?? "it gives an error";
}
