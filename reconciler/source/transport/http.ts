import http from "node:http";
import https from "node:https";
import { MooringError } from "#base/errors/index.ts";
import type { Access } from "./access.ts";
import { readAdvertisement } from "./advertisement.ts";
import type { Carrier, Service, Talk } from "./carrier.ts";
import { guarded, type Limits, soon } from "./guard.ts";
import { brokenError, refuseStatus } from "./http-errors.ts";
import { PacketReader } from "./pkt-line.ts";
import { type Proxy, proxyFor } from "./proxy.ts";
import { mayCarryToken } from "./url.ts";

type Way = {
  readonly url: string;
  readonly access: Access;
  readonly limits: Limits;
  readonly proxy: Proxy | null;
  readonly agents: Agents;
};

/** Smart HTTP (gitprotocol-http). An answer counts only when it is git's own; redirects are refused: the URL that was reviewed is the one that is asked, and
 *  the token goes nowhere else. Connections are kept for the next request. */
export function httpCarrier(url: string, access: Access, limits: Limits): Carrier {
  const proxy = proxyFor(new URL(url), access.proxy);
  const way: Way = { url, access, limits, proxy, agents: new Agents(new URL(url), access.ca, proxy) };
  return {
    open: (service, signal) => openTalk(way, service, signal),
    close: () => way.agents.close(),
  };
}

async function openTalk(way: Way, service: Service, signal: AbortSignal): Promise<Talk> {
  const version = service === "git-upload-pack" ? { "git-protocol": "version=2" } : {};
  const asked = `${way.url}/info/refs?service=${service}`;
  const reader = await exchange(way, { url: asked, type: `application/x-${service}-advertisement`, headers: version, signal });
  const where = placeOf("GET", asked);
  const ad = await readAdvertisement(reader, where);
  await drain(reader, where);
  const headers = { ...(ad.version === 2 ? version : {}), "content-type": `application/x-${service}-request` };
  const ask: Talk["ask"] = (body, stop) =>
    exchange(way, { url: `${way.url}/${service}`, type: `application/x-${service}-result`, headers, body, signal: stop });
  return { ad, where: way.url, ask, settle: (answer) => drain(answer, way.url), end: () => undefined };
}

/** An answer read to its very end frees the connection for the next request. */
async function drain(reader: PacketReader, where: string): Promise<void> {
  if ((await reader.next()) !== null) throw new MooringError("SOURCE_NOT_GIT", where, { why: "more follows where nothing may" });
}

type Request = {
  readonly url: string;
  /** Media type the answer must have. */
  readonly type: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: readonly Uint8Array[];
  readonly signal: AbortSignal;
};

async function exchange(way: Way, request: Request): Promise<PacketReader> {
  const { url, type, body } = request;
  const where = placeOf(body === undefined ? "GET" : "POST", url);
  const headers = { accept: type, "user-agent": "git/2 (mooring)", ...request.headers, ...(await authorization(way)) };
  const agent = await way.agents.agent();
  const response = await answered({ ...request, headers }, agent, where, way);
  try {
    refuseStatus(response.statusCode ?? 0, where, { ...way.access, url, isProxied: way.proxy !== null });
    if (response.headers["content-type"]?.split(";")[0]?.trim().toLowerCase() !== type)
      throw new MooringError("SOURCE_NOT_GIT", where, { why: "the answer is not of git's media type" });
  } catch (err) {
    response.destroy();
    throw err;
  }
  return new PacketReader(
    guarded(whole(response), way.limits, where, () => response.destroy()),
    where,
  );
}

/** The answer's head. A connection on which none comes in time is ended: nobody else would. */
async function answered(request: Request, agent: http.Agent, where: string, { limits, proxy }: Way): Promise<http.IncomingMessage> {
  const late = new AbortController();
  const signal = AbortSignal.any([request.signal, late.signal]);
  try {
    return await soon(send({ ...request, signal }, agent, where, limits.idleMs, proxy !== null), limits.idleMs, where);
  } catch (err) {
    late.abort();
    throw err;
  }
}

function send(request: Request, agent: http.Agent, where: string, idleMs: number, isProxied: boolean): Promise<http.IncomingMessage> {
  const { url, body, headers, signal } = request;
  const client = url.startsWith("https:") ? https : http;
  const bytes = body === undefined ? null : Buffer.concat(body);
  const length = bytes === null ? {} : { "content-length": String(bytes.length) };
  return new Promise((resolve, reject) => {
    // Node's own end for a proxy that never opens its tunnel: an aborted request does not reach so far.
    const timeout = 2 * idleMs;
    const options = { method: bytes === null ? "GET" : "POST", headers: { ...headers, ...length }, agent, signal, timeout };
    const outgoing = client.request(url, options, resolve);
    outgoing.on("error", (cause) => reject(brokenError(where, cause, isProxied)));
    outgoing.end(bytes ?? undefined);
  });
}

/** Node ends a body that was cut as if it were over, unless one looks. */
async function* whole(response: http.IncomingMessage): AsyncGenerator<Uint8Array> {
  for await (const chunk of response as AsyncIterable<Uint8Array>) yield chunk;
  if (!response.complete) throw new Error("cut");
}

/** The token goes along unasked: a server that wants one costs no request more. Never over what others can read. */
async function authorization({ access, url, proxy }: Way): Promise<Record<string, string>> {
  if (access.token === undefined || !mayCarryToken(url) || (proxy !== null && url.startsWith("http:"))) return {};
  const token = await access.token();
  if (token === "" || /[^\x21-\x7e]/.test(token))
    throw new MooringError("SOURCE_MISCONFIGURED", "token", { why: "it is not one word of ASCII" });
  if (access.tokenForm === "bearer") return { authorization: `Bearer ${token}` };
  return { authorization: `Basic ${Buffer.from(`${access.tokenUser ?? "x-access-token"}:${token}`).toString("base64")}` };
}

function placeOf(method: string, url: string): string {
  const { origin, pathname } = new URL(url);
  return `${method} ${origin}${pathname}`;
}

/** The pool of connections of one repository. The proxy's credentials are read when a pool begins, so a new password is taken up after a failure. */
class Agents {
  readonly #target: URL;
  readonly #ca: string | undefined;
  readonly #proxy: Proxy | null;
  #agent: http.Agent | null = null;

  constructor(target: URL, ca: string | undefined, proxy: Proxy | null) {
    this.#target = target;
    this.#ca = ca;
    this.#proxy = proxy;
  }

  async agent(): Promise<http.Agent> {
    return (this.#agent ??= await this.#make());
  }

  /** What is in use goes on to its end and is not kept then. */
  close(): void {
    const agent = this.#agent;
    this.#agent = null;
    if (agent === null) return;
    agent.maxFreeSockets = 0;
    for (const sockets of Object.values(agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
  }

  async #make(): Promise<http.Agent> {
    // proxyEnv is Node's own word for "this proxy"; without it the environment is not looked at.
    const proxied = this.#proxy === null ? {} : { proxyEnv: await proxyEnv(this.#proxy) };
    const options = { keepAlive: true, maxSockets: 4, ...proxied };
    if (this.#target.protocol === "http:") return new http.Agent(options);
    return new https.Agent({ ...options, ...(this.#ca === undefined ? {} : { ca: this.#ca }) });
  }
}

async function proxyEnv({ url, credentials }: Proxy): Promise<Record<string, string>> {
  const parsed = new URL(url);
  if (credentials !== undefined) {
    const login = await credentials();
    const colon = login.indexOf(":");
    if (colon < 0) throw new MooringError("SOURCE_MISCONFIGURED", "credentials of the proxy", { why: "not of the form user:password" });
    parsed.username = encodeURIComponent(login.slice(0, colon));
    parsed.password = encodeURIComponent(login.slice(colon + 1));
  }
  return { http_proxy: parsed.href, https_proxy: parsed.href };
}
