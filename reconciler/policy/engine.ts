import type { Branch, Deck, ExpressionProblem, Program, Verdict } from "./program.ts";
import { startThread, type Thread } from "./thread.ts";
import type { Answer, Ask } from "./worker/wire.ts";

/** Judges documents by expressions that nobody has to trust. */
export type PolicyEngine = {
  /** Mistakes of each program, found without running it. `null` for one that could not be looked at within its time. */
  compile(programs: readonly Program[]): Promise<readonly (readonly ExpressionProblem[] | null)[]>;
  /** Judges the documents `which` of a deck, or all. Never rejects for what a policy does: one that has mistakes, takes too long or breaks its worker
   *  gives `failed`, which is a no. */
  evaluate(program: Program, deck: Deck, options?: { readonly which?: readonly number[]; readonly cover?: boolean }): Promise<Evaluated>;
  /** Ends the worker. The engine is not usable after it. */
  close(): Promise<void>;
};

export type Evaluated =
  | { readonly at: "judged"; readonly verdicts: readonly (readonly Verdict[])[]; readonly branches: readonly Branch[] }
  | { readonly at: "failed"; readonly why: string };

/** Times count from when the worker is ready. */
export type Limits = {
  readonly startMs: number;
  /** For one policy over one deck. */
  readonly policyMs: number;
  /** For all questions to one engine. */
  readonly totalMs: number;
  readonly heapMb: number;
};

export const LIMITS: Limits = { startMs: 60_000, policyMs: 10_000, totalMs: 60_000, heapMb: 256 };

/** An engine with one worker thread, started at the first question and again after one that had to be ended. Nothing keeps the process alive but an
 *  open question. */
export function openEngine(limits: Partial<Limits> = {}): PolicyEngine {
  const own = { ...LIMITS, ...limits };
  let thread: Thread | null = null;
  let loaded: Deck | null = null;
  let queue: Promise<unknown> = Promise.resolve();
  let nextId = 1;
  let leftMs = own.totalMs;
  let isClosed = false;

  const end = async (): Promise<void> => {
    const old = thread;
    thread = loaded = null;
    await old?.end();
  };
  const ask = async (make: (id: number) => Ask): Promise<Answer | string> => {
    if (isClosed) throw new Error("the engine is closed");
    if (leftMs <= 0) return `all policies together took more than ${own.totalMs} ms`;
    thread ??= startThread(own);
    const start = performance.now();
    const answer = await thread.ask(make(nextId++), Math.min(own.policyMs, leftMs));
    leftMs -= performance.now() - start - (typeof answer === "string" ? 0 : answer.startedMs);
    if (typeof answer !== "string") return answer.answer;
    await end();
    return answer;
  };
  const compileOne = async (program: Program): Promise<readonly ExpressionProblem[] | null> => {
    const answer = await ask((id) => ({ id, kind: "compile", program }));
    return typeof answer !== "string" && answer.kind === "compiled" ? answer.problems : null;
  };
  const evaluateOne = async (program: Program, deck: Deck, which: readonly number[], cover: boolean): Promise<Evaluated> => {
    if (loaded !== deck) {
      const answer = await ask((id) => ({ id, kind: "load", deck }));
      if (typeof answer === "string" || answer.kind !== "loaded") return failed(answer);
      loaded = deck;
    }
    const answer = await ask((id) => ({ id, kind: "evaluate", program, which, cover }));
    if (typeof answer === "string" || answer.kind !== "evaluated") return failed(answer);
    const { verdicts, branches } = answer.evaluation;
    // An answer that leaves out a document or a validation is none.
    const isWhole = verdicts.length === which.length && verdicts.every((row) => row.length === program.validations.length);
    return isWhole ? { at: "judged", verdicts, branches } : failed("it broke its worker");
  };
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = queue.then(work);
    queue = turn.catch(() => undefined); // the one who asked hears of it
    return turn;
  };
  return {
    compile: (programs) => Promise.all(programs.map((program) => inTurn(() => compileOne(program)))),
    evaluate: (program, deck, { which = deck.subjects.map((_, i) => i), cover = false } = {}) =>
      inTurn(() => evaluateOne(program, deck, which, cover)),
    async close() {
      isClosed = true;
      await end();
    },
  };
}

function failed(answer: Answer | string): Evaluated {
  return { at: "failed", why: typeof answer === "string" ? answer : "it has mistakes, or broke its worker" };
}
