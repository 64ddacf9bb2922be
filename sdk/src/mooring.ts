import type { Socket } from "node:net";
import { SecretError } from "./error.ts";
import { encodeAck, encodeGet, FrameReader, type Incoming } from "./frames.ts";

export type SecretOptions = {
  /** Overall deadline, waits between tries included. 30 s when left out. */
  readonly timeoutMs?: number;
};

export type Mooring = {
  /** This plugin's name in the fleet. */
  readonly plugin: string;
  /** Secrets it was granted on this socket when it connected. */
  readonly refs: readonly string[];
  /** What `use` gives. `use` gets the secret's bytes, which are zeroed when it ends, however it ends: it MUST NOT keep them, and text made of them
   *  stays in memory for good. Waits and asks again while the answer is "not yet"; throws SecretError with the last answer's code. */
  withSecret<T>(ref: string, use: (bytes: Uint8Array) => T | Promise<T>, options?: SecretOptions): Promise<T>;
  /** Calls `cb` with the ref of a secret that was taken away: stop using what you made of it. Gives a function that ends this. */
  onRevoked(cb: (ref: string) => void): () => void;
  /** Ends the link; waiting requests fail with CLOSED. */
  close(): void;
};

type Waiting = { readonly resolve: (bytes: Uint8Array) => void; readonly reject: (err: SecretError) => void };

/** First and longest wait between tries. */
const WAIT_MS: { readonly first: number; readonly most: number } = { first: 100, most: 2_000 };

/** The plugin's end of the socket. It writes nothing before HELLO came. */
export class Link implements Mooring {
  plugin: string = "";
  refs: readonly string[] = [];
  readonly #socket: Socket;
  readonly #reader: FrameReader = new FrameReader();
  readonly #waiting: Map<number, Waiting> = new Map();
  readonly #listeners: Set<(ref: string) => void> = new Set();
  #nextId: number = 1;
  #closed: SecretError | null = null;
  #greeted: (() => void) | null = null;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk) => this.#onData(chunk));
    socket.on("error", () => this.#end(new SecretError("CLOSED", "the link to the bridge broke", true)));
    socket.on("close", () => this.#end(new SecretError("CLOSED", "the bridge closed the link", true)));
  }

  static async open(socket: Socket, timeoutMs: number): Promise<Mooring> {
    const link = new Link(socket);
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => link.#end(new SecretError("CLOSED", "the bridge said nothing")), timeoutMs);
      link.#waiting.set(0, { resolve: () => undefined, reject: (err) => (clearTimeout(timer), reject(err)) });
      link.#greeted = () => (clearTimeout(timer), link.#waiting.delete(0), resolve());
    });
    socket.unref(); // an idle link keeps no plugin alive
    return link;
  }

  async withSecret<T>(ref: string, use: (bytes: Uint8Array) => T | Promise<T>, options: SecretOptions = {}): Promise<T> {
    const bytes = await this.#getUntil(ref, Date.now() + (options.timeoutMs ?? 30_000));
    try {
      return await use(bytes);
    } finally {
      bytes.fill(0);
    }
  }

  onRevoked(cb: (ref: string) => void): () => void {
    this.#listeners.add(cb);
    return () => void this.#listeners.delete(cb);
  }

  close(): void {
    this.#end(new SecretError("CLOSED", "the plugin closed the link"));
  }

  async #getUntil(ref: string, deadline: number): Promise<Uint8Array> {
    for (let wait = WAIT_MS.first; ; wait = Math.min(wait * 2, WAIT_MS.most)) {
      try {
        return await this.#get(ref, deadline);
      } catch (err) {
        if (!(err instanceof SecretError) || !err.retry || this.#closed !== null || Date.now() + wait >= deadline) throw err;
        await new Promise((resolve) => setTimeout(resolve, wait));
      }
    }
  }

  #get(ref: string, deadline: number): Promise<Uint8Array> {
    if (this.#closed !== null) return Promise.reject(this.#closed);
    const id = this.#nextId++ >>> 0;
    return new Promise<Uint8Array>((resolve, reject) => {
      const timer = setTimeout(
        () => this.#settle(id)?.reject(new SecretError("TIMEOUT", `${ref}: no answer from the bridge`, true)),
        Math.max(0, deadline - Date.now()),
      );
      const done = (): void => {
        clearTimeout(timer);
        if (this.#waiting.size === 0) this.#socket.unref();
      };
      this.#waiting.set(id, { resolve: (bytes) => (done(), resolve(bytes)), reject: (err) => (done(), reject(err)) });
      this.#socket.ref();
      this.#socket.write(encodeGet(id, ref));
    });
  }

  #onData(chunk: Uint8Array): void {
    try {
      for (const frame of this.#reader.push(chunk)) this.#onFrame(frame);
    } catch (err) {
      if (!(err instanceof SecretError)) throw err;
      this.#end(err);
    }
  }

  #onFrame(frame: Incoming): void {
    switch (frame.kind) {
      case "hello":
        this.plugin = frame.plugin;
        this.refs = frame.refs;
        this.#greeted?.();
        return;
      case "value": {
        this.#socket.write(encodeAck(frame.id));
        const waiting = this.#settle(frame.id);
        if (waiting === undefined)
          frame.bytes.fill(0); // nobody waits any more
        else waiting.resolve(frame.bytes);
        return;
      }
      case "error":
        this.#settle(frame.id)?.reject(new SecretError(frame.code, frame.message, frame.retry));
        return;
      case "revoked":
        for (const cb of this.#listeners) cb(frame.ref);
        return;
      default:
        frame satisfies never;
    }
  }

  #settle(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }

  #end(why: SecretError): void {
    if (this.#closed !== null) return;
    this.#closed = why;
    this.#socket.destroy();
    const all = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of all) reject(why);
  }
}
