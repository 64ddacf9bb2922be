import { Worker } from "node:worker_threads";
import { type Branch, type ExpressionProblem, type Program, type Shared, type Subject, type Verdict, withSeen } from "./program.ts";
import type { Answer, Ask } from "./worker/wire.ts";

/** Judges documents by expressions that nobody has to trust. */
export type PolicyEngine = {
  /** Mistakes of each program, found without running it. `null` for one that could not be looked at within its time. */
  compile(programs: readonly Program[]): Promise<readonly (readonly ExpressionProblem[] | null)[]>;
  /** Never rejects for what a policy does: a policy that takes too long or breaks its worker gives `failed`, which is a no. */
  evaluate(program: Program, shared: Shared, subjects: readonly Subject[], options?: { readonly cover?: boolean }): Promise<Evaluated>;
  /** Ends the worker. The engine is not usable after it. */
  close(): Promise<void>;
};

export type Evaluated =
  | { readonly at: "judged"; readonly verdicts: readonly (readonly Verdict[])[]; readonly branches: readonly Branch[] }
  | { readonly at: "failed"; readonly why: string };

/** Times count from when the worker is ready. */
export type Limits = {
  readonly startMs: number;
  /** For one policy over all documents of a change. */
  readonly policyMs: number;
  /** For all policies of one engine. */
  readonly totalMs: number;
  readonly heapMb: number;
};

export const LIMITS: Limits = { startMs: 60_000, policyMs: 10_000, totalMs: 60_000, heapMb: 256 };

const STACK_MB = 4;
const MAX_SUBJECTS = 1000; // documents a message: bounds what is copied at once

/** An engine with one worker thread, started at the first question and again after one that had to be ended. Nothing keeps the process alive but an
 *  open question. */
export function openEngine(limits: Partial<Limits> = {}): PolicyEngine {
  const own = { ...LIMITS, ...limits };
  let thread: Thread | null = null;
  let queue: Promise<unknown> = Promise.resolve();
  let nextId = 1;
  let leftMs = own.totalMs;
  let isClosed = false;

  const askNow = async (ask: Ask, budgetMs: number): Promise<Answer | string> => {
    if (isClosed) throw new Error("the engine is closed");
    if (leftMs <= 0) return `all policies together took more than ${own.totalMs} ms`;
    thread ??= startThread(own);
    const start = performance.now();
    const answer = await thread.ask(ask, Math.min(budgetMs, leftMs));
    if (typeof answer === "string") {
      await thread.end();
      thread = null;
    }
    leftMs -= performance.now() - start - (typeof answer === "string" ? 0 : answer.startedMs);
    return typeof answer === "string" ? answer : answer.answer;
  };
  const ask = (make: (id: number) => Ask, budgetMs: number): Promise<Answer | string> => {
    const turn = queue.then(() => askNow(make(nextId++), budgetMs));
    queue = turn.catch(() => undefined); // the one who asked hears of it
    return turn;
  };
  const compileOne = async (program: Program): Promise<readonly ExpressionProblem[] | null> => {
    const answer = await ask((id) => ({ id, kind: "compile", programs: [program] }), own.policyMs);
    return typeof answer !== "string" && answer.kind === "compiled" ? (answer.problems[0] ?? null) : null;
  };
  return {
    compile: (programs) => Promise.all(programs.map(compileOne)),
    async evaluate(program, shared, subjects, { cover = false } = {}) {
      const verdicts: (readonly Verdict[])[] = [];
      let branches: readonly Branch[] = [];
      const until = performance.now() + own.policyMs;
      for (let from = 0; from < subjects.length || from === 0; from += MAX_SUBJECTS) {
        const part = subjects.slice(from, from + MAX_SUBJECTS);
        const budget = from === 0 ? own.policyMs : until - performance.now();
        const answer = await ask((id) => ({ id, kind: "evaluate", program, shared, subjects: part, cover }), budget);
        if (typeof answer === "string") return { at: "failed", why: answer };
        if (answer.kind !== "evaluated" || !isWhole(answer.evaluation.verdicts, part, program))
          return { at: "failed", why: "it broke its worker" };
        verdicts.push(...answer.evaluation.verdicts);
        branches = withSeen(branches, answer.evaluation.branches);
      }
      return { at: "judged", verdicts, branches };
    },
    async close() {
      isClosed = true;
      await thread?.end();
      thread = null;
    },
  };
}

/** An answer that leaves out a document or a validation is none. */
function isWhole(verdicts: readonly (readonly Verdict[])[], subjects: readonly Subject[], program: Program): boolean {
  return verdicts.length === subjects.length && verdicts.every((row) => row.length === program.validations.length);
}

type Thread = {
  /** The answer, or why there is none; then the thread must be ended. */
  ask(ask: Ask, budgetMs: number): Promise<{ readonly answer: Answer; readonly startedMs: number } | string>;
  end(): Promise<void>;
};

function startThread({ startMs, heapMb }: Limits): Thread {
  const worker = new Worker(new URL("./worker/main.ts", import.meta.url), {
    env: {},
    execArgv: [], // whatever the process was started with is not for it
    stdout: true,
    stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: heapMb, maxYoungGenerationSizeMb: 32, stackSizeMb: STACK_MB },
  });
  worker.unref();
  let hear: (event: Answer | string) => void = () => undefined;
  let isReady = false;
  let broken: string | null = null;
  const breakDown = (why: string): void => hear((broken ??= why));
  worker.on("message", (answer: Answer) => hear(answer));
  worker.on("error", (err) =>
    breakDown((err as { code?: unknown }).code === "ERR_WORKER_OUT_OF_MEMORY" ? "it used too much memory" : "it broke its worker"),
  );
  worker.on("exit", () => breakDown("it broke its worker"));
  const next = (ms: number, late: string): Promise<Answer | string> => {
    if (broken !== null) return Promise.resolve(broken);
    return new Promise((resolve) => {
      worker.ref();
      const timer = setTimeout(() => hear(late), Math.max(1, ms));
      hear = (event) => {
        clearTimeout(timer);
        hear = () => undefined;
        worker.unref();
        resolve(event);
      };
    });
  };
  return {
    async ask(ask, budgetMs) {
      const start = performance.now();
      if (!isReady) {
        const first = await next(startMs, "its worker did not start");
        if (typeof first === "string") return first;
        isReady = true;
      }
      const startedMs = performance.now() - start;
      const answering = next(budgetMs, `it took more than ${Math.round(budgetMs)} ms`);
      worker.postMessage(ask, []);
      const answer = await answering;
      if (typeof answer === "string") return answer;
      return "id" in answer && answer.id === ask.id ? { answer, startedMs } : "it broke its worker";
    },
    async end() {
      await worker.terminate();
    },
  };
}
