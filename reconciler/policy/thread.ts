import { Worker } from "node:worker_threads";
import type { Answer, Ask } from "./worker/wire.ts";

const STACK_MB = 4;

/** One worker thread, asked one question at a time. */
export type Thread = {
  /** The answer and how much of the time went by before the thread was ready; or why there is none, and then the thread must be ended. */
  ask(ask: Ask, budgetMs: number): Promise<{ readonly answer: Answer; readonly startedMs: number } | string>;
  end(): Promise<void>;
};

/** Starts it; it keeps no process alive but while a question is open. */
export function startThread({ startMs, heapMb }: { readonly startMs: number; readonly heapMb: number }): Thread {
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
