import { parse } from "@bufbuild/cel";
import { type Ast, depthOf } from "./ast.ts";

/** What is wrong with a text that should be an expression. */
export type ReadProblem = { readonly offset: number; readonly length: number; readonly message: string };

const MAX_LENGTH = 4096;
const MAX_BRACKETS = 64;
const MAX_DEPTH = 250; // evaluation recurses; measured: 2,000 levels overflow a worker's stack

/** An expression parsed, or what is wrong with it in our words. Never throws. */
export function readExpression(text: string): Ast | ReadProblem {
  if (text.length > MAX_LENGTH) return { offset: MAX_LENGTH, length: 1, message: `an expression has at most ${MAX_LENGTH} characters` };
  const deep = tooDeep(text);
  if (deep !== null) return { offset: deep, length: 1, message: `more than ${MAX_BRACKETS} brackets open at once` };
  try {
    const { expr, sourceInfo } = parse(text);
    if (depthOf(expr, MAX_DEPTH) >= MAX_DEPTH) return { offset: 0, length: 1, message: `more than ${MAX_DEPTH} levels deep` };
    return { text, expr, positions: sourceInfo?.positions ?? {} };
  } catch (err) {
    return syntaxProblem(err, text);
  }
}

export function isAst(read: Ast | ReadProblem): read is Ast {
  return "expr" in read;
}

function syntaxProblem(err: unknown, text: string): ReadProblem {
  const { found, location } = err as { found?: unknown; location?: { start?: { offset?: unknown } } };
  const at = location?.start?.offset;
  if (typeof at !== "number") return { offset: 0, length: 1, message: "cannot be read as CEL" }; // its stack ended, or a literal out of range
  const offset = Math.min(at, text.length);
  if (offset >= text.length || found === "") return { offset, length: 0, message: "the expression ends too early" };
  const word = /^(\w+|&&|\|\||[=!<>]=|.)/su.exec(text.slice(offset))?.[0] ?? "";
  if (text.slice(offset + word.length).trim() === "" && /^[^\w)\]}]/.test(word))
    return { offset, length: word.length, message: `something is missing after \`${word}\`` };
  return { offset, length: word.length, message: `unexpected \`${word.slice(0, 20)}\`` };
}

/** Brackets are counted in strings, too: who writes 64 of them there can split the string. */
function tooDeep(text: string): number | null {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!;
    if ("([{".includes(char)) depth++;
    else if (")]}".includes(char) && depth > 0) depth--;
    if (depth > MAX_BRACKETS) return i;
  }
  return null;
}
