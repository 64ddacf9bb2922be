import { createServer, type IncomingMessage, type Server, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { MooringError, toProblem } from "#base/errors/index.ts";

/** Connections at once, bytes of a request's head, and how long a head may take: what a hostile plugin can hold. */
const LIMITS = { connections: 256, headBytes: 8_192, headMs: 5_000 };

/** An HTTP proxy that lets nothing out: every request, CONNECT included, is answered 403 EGRESS_DENIED and its connection closed. `onDenied` is
 *  called once for each; nothing of the request is kept or passed on. */
export function denyingProxy(onDenied: () => void): Server {
  const server = createServer({
    maxHeaderSize: LIMITS.headBytes,
    headersTimeout: LIMITS.headMs,
    requestTimeout: LIMITS.headMs,
    connectionsCheckingInterval: 1_000,
    keepAlive: false,
  });
  server.maxConnections = LIMITS.connections;
  const deny = (socket: Duplex): void => {
    onDenied();
    socket.on("error", () => undefined);
    socket.resume().end(answer(403)); // what still comes is thrown away
    setTimeout(() => socket.destroy(), LIMITS.headMs).unref();
  };
  server.on("connect", (_request: IncomingMessage, socket: Duplex) => deny(socket));
  server.on("upgrade", (_request: IncomingMessage, socket: Duplex) => deny(socket));
  server.on("request", (request: IncomingMessage) => deny(request.socket));
  server.on("checkContinue", (request: IncomingMessage) => deny(request.socket));
  server.on("clientError", (_err: Error, socket: Duplex) => {
    onDenied();
    if (!socket.writable) return void socket.destroy();
    socket.end(answer(400), () => socket.destroy());
  });
  return server;
}

function answer(status: 400 | 403): string {
  const err = new MooringError("EGRESS_DENIED", "egress", { why: "this version's proxy forwards nothing" });
  const body = JSON.stringify(toProblem(err));
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/problem+json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`;
}
