/** Real smart HTTP: a node:http server that runs `git http-backend` for the bare repositories under one folder. Tests and the demo use it. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { join } from "node:path";
import { GIT_ENV } from "./repo.ts";

/** One finished request and what it cost on the wire (bodies only). */
export type Served = {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly received: number;
  readonly sent: number;
};

/** What goes wrong with the next pack that is sent: the connection ends after `at` bytes, or one bit of the byte at `at` is flipped. */
export type Fault = { readonly kind: "cut" | "flip"; readonly at: number } | { readonly kind: "hang" };

export type GitHttpServer = {
  readonly url: (repo: string) => string;
  readonly served: Served[];
  /** Arms one fault for the next answer to `git-upload-pack`; null disarms. */
  readonly breakNext: (fault: Fault | null) => void;
  /** Runs before each request reaches git; tests use it to let somebody else push in between. */
  onRequest: ((request: IncomingMessage) => Promise<void>) | null;
  readonly close: () => Promise<void>;
};

export type GitHttpOptions = {
  readonly port?: number;
  readonly host?: string;
  /** Ask for HTTP basic authentication with this password, whatever the user name. */
  readonly token?: string;
};

/** Serves every bare repository in `root` on a free port of the loopback address; pushing needs `http.receivepack=true` in the repository. */
export async function serveGit(root: string, options: GitHttpOptions = {}): Promise<GitHttpServer> {
  // Not `git http-backend`: who ends git that early leaves the backend behind, and one whose request was cut reads for ever.
  const backend = join(execFileSync("git", ["--exec-path"], { env: GIT_ENV, encoding: "utf8" }).trim(), "git-http-backend");
  const running = new Set<ChildProcess>();
  const sockets = new Set<Socket>();
  const served: Served[] = [];
  let fault: Fault | null = null;
  const takeFault = (path: string): Fault | null => {
    if (!path.endsWith("/git-upload-pack")) return null;
    const mine = fault;
    fault = null;
    return mine;
  };
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? "/", "http://localhost");
    await server.onRequest?.(request);
    if (!mayEnter(request, options.token)) {
      response.writeHead(401, { "www-authenticate": 'Basic realm="git"' }).end();
      return;
    }
    if (response.closed) return; // the client went meanwhile, so nothing would end git
    const child = spawn(backend, [], { env: cgiEnv(root, url, request), stdio: ["pipe", "pipe", "ignore"] });
    running.add(child);
    child.once("close", () => running.delete(child));
    const cost = { received: 0, sent: 0 };
    const first = new Promise<Buffer>((resolve) => {
      request.once("data", resolve).once("end", () => resolve(Buffer.alloc(0)));
    });
    request.on("data", (chunk: Buffer) => (cost.received += chunk.length));
    child.stdin.on("error", () => undefined); // git may end before it read everything; its answer tells why
    request.pipe(child.stdin);
    response.once("close", () => {
      child.kill("SIGKILL"); // cut off in the middle of a request it may turn for ever, and a polite signal is lost before it has set itself up
      served.push({ method: request.method ?? "", path: url.pathname + url.search, status: response.statusCode, ...cost });
    });
    const start = request.method === "POST" ? (await first).toString("latin1") : "";
    const isPack = request.method === "POST" && !start.includes("command=ls-refs"); // protocol 0 has one kind of request
    await relay(child, response, isPack ? takeFault(url.pathname) : null, cost);
  };
  const http = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  http.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    http.once("error", reject);
    http.listen(options.port ?? 0, options.host ?? "127.0.0.1", resolve);
  });
  const { port, address } = http.address() as AddressInfo;
  const server: GitHttpServer = {
    url: (repo) => `http://${address}:${port}/${repo}`,
    served,
    breakNext: (next) => {
      fault = next;
    },
    onRequest: null,
    close: async () => {
      const closed = new Promise<void>((resolve) => http.close(() => resolve()));
      for (const child of running) child.kill("SIGKILL");
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
  return server;
}

function mayEnter(request: IncomingMessage, token: string | undefined): boolean {
  if (token === undefined) return true;
  const [scheme, value] = (request.headers.authorization ?? "").split(" ");
  return (
    scheme === "Basic" &&
    Buffer.from(value ?? "", "base64")
      .toString()
      .split(":")
      .slice(1)
      .join(":") === token
  );
}

/** RFC 3875 variables, as git-http-backend(1) reads them. */
function cgiEnv(root: string, url: URL, request: IncomingMessage): NodeJS.ProcessEnv {
  const header = (name: string): string => String(request.headers[name] ?? "");
  return {
    ...GIT_ENV,
    GIT_PROJECT_ROOT: root,
    GIT_HTTP_EXPORT_ALL: "1",
    GIT_PROTOCOL: header("git-protocol"),
    REQUEST_METHOD: request.method,
    PATH_INFO: decodeURIComponent(url.pathname),
    QUERY_STRING: url.search.slice(1),
    CONTENT_TYPE: header("content-type"),
    CONTENT_LENGTH: header("content-length"),
    HTTP_CONTENT_ENCODING: header("content-encoding"),
    REMOTE_ADDR: request.socket.remoteAddress,
  };
}

/** Turns the CGI answer (headers, empty line, body) into HTTP, with the fault that was armed. */
async function relay(child: ChildProcess, response: ServerResponse, fault: Fault | null, cost: { sent: number }): Promise<void> {
  let head = Buffer.alloc(0);
  let started = false;
  if (fault?.kind === "hang") return;
  const send = (body: Buffer): boolean => {
    const start = cost.sent;
    cost.sent += body.length;
    if (fault?.kind === "cut" && cost.sent > fault.at) {
      response.write(body.subarray(0, Math.max(0, fault.at - start)), () => response.destroy());
      return false;
    }
    const copy = Buffer.from(body);
    if (fault?.kind === "flip" && fault.at >= start && fault.at < cost.sent) copy[fault.at - start] = (copy[fault.at - start] ?? 0) ^ 1;
    response.write(copy);
    return true;
  };
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
    if (started) {
      if (!send(chunk)) return;
      continue;
    }
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf("\r\n\r\n");
    if (end < 0) continue;
    started = true;
    writeHead(response, head.subarray(0, end).toString("latin1"));
    if (!send(head.subarray(end + 4))) return;
  }
  if (!started) response.writeHead(500);
  response.end();
}

function writeHead(response: ServerResponse, text: string): void {
  let status = 200;
  for (const line of text.split("\r\n")) {
    const colon = line.indexOf(":");
    const [name, value] = [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    if (name === "status") status = Number.parseInt(value, 10);
    else response.setHeader(name, value);
  }
  response.statusCode = status;
}
