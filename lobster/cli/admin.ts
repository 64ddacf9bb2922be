import { request } from "node:http";
import { CATALOG, isErrorCode, MooringError } from "#base/errors/index.ts";
import { problem as problemSchema } from "#schemas/wire/index.ts";

const HEADERS = { "Mooring-Wire": "1" };

/** The agent's local API on admin.sock. Every call throws AGENT_UNREACHABLE when nobody answers, else the agent's own problem. */
export type Admin = {
  json(method: "GET" | "PUT", path: string, body?: unknown): Promise<unknown>;
  /** Calls `onLine` for each line of the answer until it ends or `signal` fires. */
  lines(path: string, onLine: (line: string) => void, signal: AbortSignal): Promise<void>;
};

export function adminAt(socketPath: string): Admin {
  return {
    async json(method, path, body) {
      const text: string[] = [];
      await call(socketPath, method, path, body, (part) => text.push(part), undefined);
      return text.length === 0 ? null : (JSON.parse(text.join("")) as unknown);
    },
    async lines(path, onLine, signal) {
      let rest = "";
      await call(
        socketPath,
        "GET",
        path,
        undefined,
        (part) => {
          const lines = (rest + part).split("\n");
          rest = lines.pop() ?? "";
          for (const line of lines) onLine(line);
        },
        signal,
      );
    },
  };
}

function call(
  socketPath: string,
  method: string,
  path: string,
  body: unknown,
  onPart: (part: string) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const unreachable = (cause: unknown): void => {
      if (signal?.aborted === true) resolve();
      else reject(new MooringError("AGENT_UNREACHABLE", `no answer on ${socketPath}`, { cause }));
    };
    const headers = body === undefined ? HEADERS : { ...HEADERS, "Content-Type": "application/json" };
    const asked = request({ socketPath, method, path, headers, ...(signal === undefined ? {} : { signal }) }, (answer) => {
      answer.setEncoding("utf8");
      const isGood = (answer.statusCode ?? 500) < 300;
      const refusal: string[] = [];
      answer.on("data", (part: string) => (isGood ? onPart(part) : void refusal.push(part)));
      answer.on("error", unreachable);
      answer.on("end", () => (isGood ? resolve() : reject(refused(refusal.join(""), path))));
    });
    asked.on("error", unreachable);
    asked.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

function refused(text: string, path: string): MooringError {
  const found = problemSchema.safeParse(jsonOrNull(text));
  if (!found.success || !isErrorCode(found.data.code))
    return new MooringError("AGENT_UNREACHABLE", `${path}: an answer that is not the agent's`);
  const { code, message, why, fix, have } = found.data;
  return new MooringError(code, message, {
    fix: fix ?? CATALOG[code].fix,
    ...(why === undefined ? {} : { why }),
    ...(have === undefined ? {} : { have }),
  });
}

function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
