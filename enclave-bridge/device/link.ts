import type { Socket } from "node:net";
import { MooringError } from "#base/errors/index.ts";
import { sleep } from "#base/time/index.ts";
import { errorFrame, type FromPlugin, helloFrame, MAX_FRAME, PluginFrames, revokedFrame, valueHead } from "./frames.ts";
import { writeAll } from "./socket.ts";

/** What a request ends in: the error frame's content, or a call that writes the value with the function it is given. */
export type Refusal = { readonly code: string; readonly message: string; readonly retry: boolean };
export type Answer = Refusal | { readonly deliver: (write: (bytes: Uint8Array) => Promise<boolean>) => Promise<boolean> };

export type LinkOptions = {
  readonly plugin: string;
  readonly refs: readonly string[];
  /** Answers one request; the next one waits for it. */
  readonly answer: (ref: string) => Promise<Answer>;
  /** Milliseconds a request has to wait for its turn: how a flood is slowed down. */
  readonly waitMs: () => number;
  /** The stream was no fd-3 protocol. */
  readonly onMalformed: () => void;
  readonly onClose: () => void;
};

/** Requests read ahead of the one being answered; beyond it nothing is read. */
const AHEAD = 32;
/** Unread bytes of small frames after which a plugin that does not read is cut. */
const UNREAD = 65_536;

/** The bridge's end of one run's fd 3: one request at a time, bounded queues both ways. */
export class PluginLink {
  readonly #socket: Socket;
  readonly #options: LinkOptions;
  readonly #frames = new PluginFrames();
  readonly #queue: { readonly id: number; readonly ref: string }[] = [];
  readonly #gone = new AbortController();
  #busy = false;

  constructor(socket: Socket, options: LinkOptions) {
    this.#socket = socket;
    this.#options = options;
    socket.on("error", () => undefined); // "close" follows
    socket.on("close", () => {
      this.#gone.abort();
      options.onClose();
    });
    socket.on("data", (chunk) => this.#onData(chunk));
    this.#send(helloFrame(options.plugin, options.refs));
  }

  revoked(ref: string): void {
    this.#send(revokedFrame(ref));
  }

  close(): void {
    this.#socket.destroy();
  }

  #onData(chunk: Uint8Array): void {
    try {
      for (const frame of this.#frames.push(chunk)) this.#onFrame(frame);
    } catch (err) {
      if (!(err instanceof MooringError)) throw err;
      this.#options.onMalformed();
      this.close();
    }
  }

  #onFrame(frame: FromPlugin): void {
    if (frame.kind === "ack") return; // the value is zeroed when the system has it; an ACK adds nothing
    this.#queue.push({ id: frame.id, ref: frame.ref });
    if (this.#queue.length >= AHEAD) this.#socket.pause();
    if (!this.#busy) void this.#work();
  }

  async #work(): Promise<void> {
    this.#busy = true;
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      if (this.#queue.length < AHEAD / 2) this.#socket.resume();
      await sleep(this.#options.waitMs(), this.#gone.signal);
      if (this.#gone.signal.aborted) break;
      await this.#reply(next.id, await this.#options.answer(next.ref));
    }
    this.#queue.length = 0;
    this.#busy = false;
  }

  async #reply(id: number, answer: Answer): Promise<void> {
    if ("code" in answer) return void (await writeAll(this.#socket, [errorFrame(id, answer)]));
    await answer.deliver((bytes) => writeAll(this.#socket, [valueHead(id, bytes.length), bytes]));
  }

  #send(bytes: Uint8Array): void {
    if (this.#socket.destroyed) return;
    this.#socket.write(bytes);
    if (this.#socket.writableLength > UNREAD) this.close();
  }
}

/** Largest secret that fits a VALUE frame. */
export const MAX_VALUE: number = MAX_FRAME - 5;
