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

/** Asks for a line of text; an empty answer is the preset. Null where there is no terminal. */
export function terminalAsk(): ((question: string, preset: string) => Promise<string>) | null {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return null;
  return async (question, preset) => {
    const lines = createInterface({ input: process.stdin, output: process.stderr });
    try {
      const text = (await lines.question(preset === "" ? `${question}: ` : `${question} [${preset}]: `)).trim();
      return text === "" ? preset : text;
    } finally {
      lines.close();
    }
  };
}
