import type { ChildProcess } from "node:child_process";
import type { Socket } from "node:net";
import { isErrorCode, MooringError } from "#base/errors/index.ts";
import type { BridgeValue, FromBridge, ToBridge } from "./ipc.ts";

type WithoutId<T> = T extends unknown ? Omit<T, "id"> : never;
type Reply = Extract<FromBridge, { readonly t: "reply" }>;
type Waiting = { readonly resolve: (value: BridgeValue) => void; readonly reject: (err: MooringError) => void };

const DEADLINE_MS = 10_000;

/** Requests to the bridge, paired with their replies by id. */
export class Calls {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 1;
  #gone: MooringError | null = null;

  constructor(child: ChildProcess) {
    this.#child = child;
  }

  async call(request: WithoutId<ToBridge>, socket?: Socket): Promise<BridgeValue> {
    if (this.#gone !== null) throw this.#gone;
    const id = this.#nextId++;
    return await new Promise<BridgeValue>((resolve, reject) => {
      const late = new MooringError("DEADLINE_PASSED", `bridge: no answer to ${request.t} in ${DEADLINE_MS} ms`);
      const timer = setTimeout(() => this.#take(id)?.reject(late), DEADLINE_MS);
      this.#waiting.set(id, {
        resolve: (value) => (clearTimeout(timer), resolve(value)),
        reject: (err) => (clearTimeout(timer), reject(err)),
      });
      this.#child.send({ ...request, id }, socket, {}, (cause) => {
        if (cause) this.#take(id)?.reject(new MooringError("BRIDGE_GONE", `bridge: ${request.t} could not be sent`, { cause }));
      });
    });
  }

  settle(reply: Reply): void {
    const waiting = this.#take(reply.id); // none = its deadline has passed
    if (reply.ok) waiting?.resolve(reply.value);
    else waiting?.reject(errorOf(reply.problem));
  }

  fail(why: MooringError): void {
    this.#gone = why;
    for (const id of this.#waiting.keys()) this.#take(id)?.reject(why);
  }

  #take(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }
}

function errorOf(problem: Extract<Reply, { readonly ok: false }>["problem"]): MooringError {
  const { code, message, why, fix, have } = problem;
  if (!isErrorCode(code)) return new MooringError("FRAME_MALFORMED", "bridge: an error code that this version does not know");
  return new MooringError(code, message, { fix, ...(why === undefined ? {} : { why }), ...(have === undefined ? {} : { have }) });
}
