import { createInterface } from "node:readline/promises";
import type { Io } from "../io.ts";

/** The person at this terminal; nobody to ask where stdin or stderr is none. */
export function terminalIo(): Io {
  const isTerminal = process.stdin.isTTY && process.stderr.isTTY;
  return { out: process.stdout, ask: isTerminal ? ask : null };
}

async function ask(question: string): Promise<boolean> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await lines.question(`${question} [y/N] `)).trim());
  } finally {
    lines.close();
  }
}
