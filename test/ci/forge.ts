/** A forge's API on this machine: keeps comments and statuses, records every call, and answers otherwise when a test says so. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";

export const TOKEN = "ghs_0123456789abcdefghijklmnopqrstuvwxyz";
export const BOT = "github-actions[bot]";

export type Call = { readonly method: string; readonly path: string; readonly body: unknown; readonly token: string | undefined };
export type Comment = { id: number; user: { login: string } | null; body: string };
export type Answer = {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly isDone?: boolean;
};

export class FakeForge {
  readonly calls: Call[] = [];
  comments: Comment[] = [];
  perPage = 100;
  /** What to answer instead; null = as usual. `isDone` = the work is done all the same. */
  instead: (call: Call) => Answer | null = () => null;
  #server = createServer((req, res) => void this.#serve(req, res));

  static async start(t: TestContext): Promise<FakeForge> {
    const forge = new FakeForge();
    await new Promise<void>((resolve) => forge.#server.listen(0, "127.0.0.1", resolve));
    t.after(() => {
      forge.#server.closeAllConnections();
      forge.#server.close();
    });
    return forge;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/api/v3`;
  }

  /** "POST statuses", "GET comments?page=2"…, in order. */
  get said(): readonly string[] {
    return this.calls.map(({ method, path }) =>
      `${method} ${path.replace(/^.*\/(?:repos\/acme\/fleet)\//, "").replace(/per_page=\d+&?/, "")}`.replace(/[?&]$/, ""),
    );
  }

  bodies(method: string, part: string): readonly unknown[] {
    return this.calls.filter((call) => call.method === method && call.path.includes(part)).map(({ body }) => body);
  }

  async #serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of req) parts.push(part as Buffer);
    const text = Buffer.concat(parts).toString("utf8");
    const path = req.url ?? "";
    const token = req.headers.authorization;
    const call: Call = { method: req.method ?? "", path, body: text === "" ? null : (JSON.parse(text) as unknown), token };
    this.calls.push(call);
    const other = this.instead(call);
    const usual = other === null || other.isDone === true ? this.#answer(call) : null;
    const { status, headers = {}, body = null } = other ?? usual ?? { status: 500 };
    res.writeHead(status, { "content-type": "application/json", ...headers });
    res.end(status === 204 ? "" : JSON.stringify(body));
  }

  #answer({ method, path, body }: Call): Answer {
    const url = new URL(path, this.url);
    if (method === "GET" && /\/issues\/\d+\/comments$/.test(url.pathname)) return this.#page(url);
    if (method === "POST" && /\/issues\/\d+\/comments$/.test(url.pathname)) {
      const comment = { id: 1000 + this.comments.length, user: { login: BOT }, body: (body as { body: string }).body };
      this.comments.push(comment);
      return { status: 201, body: comment };
    }
    const id = Number(/\/issues\/comments\/(\d+)$/.exec(url.pathname)?.[1]);
    if (method === "PATCH") {
      for (const comment of this.comments) if (comment.id === id) comment.body = (body as { body: string }).body;
      return { status: 200, body: {} };
    }
    if (method === "DELETE") {
      this.comments = this.comments.filter((comment) => comment.id !== id);
      return { status: 204 };
    }
    return { status: method === "POST" && url.pathname.includes("/statuses/") ? 201 : 404, body: {} };
  }

  #page(url: URL): Answer {
    const page = Number(url.searchParams.get("page") ?? "1");
    const from = (page - 1) * this.perPage;
    const next = new URL(`${this.url}${url.pathname.replace("/api/v3", "")}?per_page=100&page=${page + 1}`);
    const hasMore = this.comments.length > from + this.perPage;
    const link = `<${next.href}>; rel="next", <${next.href}>; rel="last"`;
    return { status: 200, body: this.comments.slice(from, from + this.perPage), ...(hasMore ? { headers: { link } } : {}) };
  }
}
