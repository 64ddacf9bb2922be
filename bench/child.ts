import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";

/** A process of a bench that answers each message of type `Q` with one of type `A`, in order. */
export type Child<Q, A> = { readonly pid: number; readonly ask: (question: Q) => Promise<A>; readonly stop: () => Promise<void> };

type Reply = { readonly answer: unknown } | { readonly failed: string };

/** Starts `entry`, which calls `answerWith`. */
export function startChild<Q extends object, A>(entry: string, env: Readonly<Record<string, string>> = {}): Child<Q, A> {
  const child: ChildProcess = fork(entry, [], {
    env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", ...env },
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const waiting: { readonly resolve: (answer: A) => void; readonly reject: (err: Error) => void }[] = [];
  child.on("message", (message: Reply) => {
    const first = waiting.shift();
    if ("failed" in message) first?.reject(new Error(message.failed));
    else first?.resolve(message.answer as A);
  });
  child.on("exit", (code, signal) => {
    for (const { reject } of waiting.splice(0)) reject(new Error(`${entry} ended with ${code ?? signal ?? "nothing"}`));
  });
  const ask = (question: Q): Promise<A> =>
    new Promise((resolve, reject) => {
      waiting.push({ resolve, reject });
      child.send(question);
    });
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.disconnect();
    await ended;
  };
  return { pid: child.pid ?? 0, ask, stop };
}

/** The child's side; `question` is what the parent sends, as it declared it. `onEnd` runs when the bench has gone, whatever way, and then the process ends. */
export function answerWith(answer: (question: never) => Promise<unknown>, onEnd: () => Promise<void>): void {
  let turn: Promise<unknown> = Promise.resolve();
  const reply = async (question: unknown): Promise<void> => {
    const result: Reply = await answer(question as never).then(
      (value) => ({ answer: value }),
      (err: unknown) => ({ failed: err instanceof Error ? `${err.message}\n${err.stack ?? ""}` : String(err) }),
    );
    if (process.connected) process.send?.(result);
  };
  process.on("message", (question) => {
    turn = turn.then(() => reply(question));
  });
  process.on("disconnect", () => void turn.then(onEnd).finally(() => process.exit()));
}
