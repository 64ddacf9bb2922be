import { connect, createServer, type Socket } from "node:net";
import type { AddressInfo } from "node:net";

/** What happens to the bytes that the server sends: from the `at`th on (over all connections since it was set) the line is dead, or one bit of that byte flips. */
export type LineFault = { readonly kind: "cut" | "flip"; readonly at: number };

export type BadLine = {
  readonly port: number;
  /** Counts anew from here; null = a good line. */
  readonly suffer: (fault: LineFault | null) => void;
  /** Bytes that came from the server since then. */
  readonly count: () => number;
  readonly close: () => Promise<void>;
};

/** A TCP line to `port` of the loopback that can fail at any byte, wherever HTTP is at that moment. */
export async function makeBadLine(port: number): Promise<BadLine> {
  let fault: LineFault | null = null;
  let seen = 0;
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy()); // the other side hung up: that is what this line is for
    socket.once("close", () => sockets.delete(socket));
  };
  const pass = (chunk: Buffer, client: Socket, server: Socket): void => {
    const start = seen;
    seen += chunk.length;
    const inside = fault !== null && fault.at < seen ? Math.max(0, fault.at - start) : null;
    if (fault === null || inside === null) return void client.write(chunk);
    if (fault.kind === "cut") {
      client.end(chunk.subarray(0, inside), () => client.destroy());
      server.destroy();
    } else {
      const copy = Buffer.from(chunk);
      if (fault.at >= start) copy[inside] = (copy[inside] ?? 0) ^ (1 << (fault.at % 8));
      client.write(copy);
    }
  };
  const line = createServer((client) => {
    const server = connect(port, "127.0.0.1");
    keep(client);
    keep(server);
    client.pipe(server);
    server.on("data", (chunk: Buffer) => pass(chunk, client, server));
    server.on("end", () => client.end());
  });
  await new Promise<void>((resolve) => line.listen(0, "127.0.0.1", resolve));
  return {
    port: (line.address() as AddressInfo).port,
    suffer: (next) => {
      fault = next;
      seen = 0;
    },
    count: () => seen,
    close: async () => {
      const closed = new Promise<void>((resolve) => line.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
