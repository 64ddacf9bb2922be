import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import net, { type Server, type Socket } from "node:net";
import { join } from "node:path";
import { inspect } from "node:util";
import { type TestContext, test } from "node:test";
import { MooringError } from "#base/errors/index.ts";
import { type Access, accessOf } from "#reconciler/source/index.ts";
import { openTransport, parsePlace, type RemotePlace, type TransportOptions } from "#reconciler/source/transport/index.ts";
import { commitTo } from "#test/support/repo.ts";
import { type Bench, makeBench } from "./support.ts";

const never = new AbortController().signal;
const TOKEN = "s3cr3t-t0ken";

function remote(url: string): RemotePlace {
  const place = parsePlace(url);
  if (place.kind === "local") throw new Error("local");
  return place;
}

async function list(url: string, access: Access = {}, options: TransportOptions = {}): Promise<string | undefined> {
  const transport = openTransport(remote(url), access, options);
  try {
    return (await transport.listRefs(["refs/heads/main"], never)).get("refs/heads/main");
  } finally {
    transport.close();
  }
}

/** The error of a listing: its code is `code`, and nothing that is printed of it holds a secret. */
async function refused(code: string, url: string, access: Access = {}, options: TransportOptions = {}): Promise<MooringError> {
  let caught: unknown;
  try {
    await list(url, access, options);
  } catch (err) {
    caught = err;
  }
  assert.ok(caught instanceof MooringError, `${url} gave ${String(caught)}`);
  assert.equal(caught.code, code, inspect(caught));
  const { message, why, fix } = caught;
  for (const secret of [TOKEN, "pr0xy-pw", Buffer.from(`x-access-token:${TOKEN}`).toString("base64")])
    assert.ok(!JSON.stringify([message, why, fix]).includes(secret));
  return caught;
}

async function listening<T extends Server>(t: TestContext, server: T): Promise<{ server: T; port: number }> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy()).once("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { server, port: (server.address() as { port: number }).port };
}

type Authority = { readonly caFile: string; readonly issue: (name: string, names: string, days?: string[]) => https.ServerOptions };

/** A certificate authority that lives as long as the test. */
function makeAuthority(folder: string): Authority {
  const openssl = (...args: string[]): void => void execFileSync("openssl", args, { cwd: folder, stdio: "ignore" });
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  openssl("req", "-x509", ...newKey, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=test ca", "-days", "2");
  return {
    caFile: join(folder, "ca.pem"),
    issue(name, names, days = ["-days", "2"]) {
      openssl("req", ...newKey, "-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", `/CN=${name}`);
      writeFileSync(join(folder, `${name}.ext`), `subjectAltName=${names}\n`);
      openssl(
        "x509",
        "-req",
        "-in",
        `${name}.csr`,
        "-CA",
        "ca.pem",
        "-CAkey",
        "ca.key",
        "-CAcreateserial",
        "-extfile",
        `${name}.ext`,
        ...days,
        "-out",
        `${name}.pem`,
      );
      return { key: readFileSync(join(folder, `${name}.key`)), cert: readFileSync(join(folder, `${name}.pem`)) };
    },
  };
}

/** TLS in front of the bench's server. */
async function tlsBefore(t: TestContext, bench: Bench, tls: https.ServerOptions): Promise<string> {
  const inner = new URL(bench.server.url(""));
  const { port } = await listening(
    t,
    https.createServer(tls, (request, response) => {
      const { method, url, headers } = request;
      const through = http.request({ host: inner.hostname, port: inner.port, method, path: url, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      });
      request.pipe(through);
    }),
  );
  return `https://127.0.0.1:${port}/fleet.git`;
}

test("https: our own authority counts when it is named, and no certificate but one for this host", async (t) => {
  const bench = await makeBench(t, TOKEN);
  const tip = await commitTo(bench.gitdir, { files: { a: "1" } });
  const authority = makeAuthority(bench.folder);
  const good = await tlsBefore(t, bench, authority.issue("good", "IP:127.0.0.1"));
  const token = (): string => TOKEN;
  const { ca } = await accessOf({ caFile: authority.caFile }, good, {});
  assert.equal(await list(good, { ca, token }), tip);
  await refused("SOURCE_CERT_REFUSED", good, { token });
  const other = await tlsBefore(t, bench, authority.issue("other", "DNS:git.example.net"));
  assert.match((await refused("SOURCE_CERT_REFUSED", other, { ca, token })).why ?? "", /another host/);
  const old = await tlsBefore(t, bench, authority.issue("old", "IP:127.0.0.1", ["-days", "0"]));
  assert.match((await refused("SOURCE_CERT_REFUSED", old, { ca, token })).why ?? "", /expired/);
  assert.equal(bench.server.served.filter(({ status }) => status !== 200).length, 0);
  await refused("SOURCE_UNREACHABLE", `https://127.0.0.1:${new URL(bench.server.url("")).port}/fleet.git`, { ca, token }); // no TLS there
  await assert.rejects(accessOf({ caFile: join(bench.folder, "ca.key") }, good, {}), { code: "SOURCE_MISCONFIGURED" });
  await assert.rejects(accessOf({ caFile: join(bench.folder, "none") }, good, {}), { code: "SOURCE_MISCONFIGURED" });
});

test("the token goes along unasked, as basic or bearer, and only where nobody else can read it", async (t) => {
  const seen: (string | undefined)[] = [];
  const { port } = await listening(
    t,
    http.createServer((request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(403).end(`no: ${request.headers.authorization}`);
    }),
  );
  const url = `http://127.0.0.1:${port}/x.git`;
  await refused("SOURCE_DENIED", url, { token: () => TOKEN });
  await refused("SOURCE_DENIED", url, { token: () => TOKEN, tokenUser: "oauth2" });
  await refused("SOURCE_DENIED", url, { token: () => TOKEN, tokenForm: "bearer" });
  await refused("SOURCE_DENIED", `http://mooring.localhost:${port}/x.git`, { token: () => TOKEN }).catch(() => undefined); // may not resolve here
  const basic = (user: string): string => `Basic ${Buffer.from(`${user}:${TOKEN}`).toString("base64")}`;
  assert.deepEqual(seen.slice(0, 3), [basic("x-access-token"), basic("oauth2"), `Bearer ${TOKEN}`]);
  assert.deepEqual(
    seen.slice(3).filter((value) => value !== undefined),
    [],
  );
  await refused("SOURCE_MISCONFIGURED", url, { token: () => "two words" });
  await refused("SOURCE_MISCONFIGURED", url, { token: () => "" });
});

test("each kind of wrong answer has its code, and a redirect is followed nowhere", async (t) => {
  let answer: (response: http.ServerResponse) => void = () => undefined;
  let hits = 0;
  const { port } = await listening(
    t,
    http.createServer((_request, response) => {
      hits += 1;
      answer(response);
    }),
  );
  const url = `http://127.0.0.1:${port}/x.git`;
  const advert = { "content-type": "application/x-git-upload-pack-advertisement" };
  const cases: readonly (readonly [string, (response: http.ServerResponse) => void])[] = [
    ["SOURCE_DENIED", (response) => response.writeHead(401).end()],
    ["SOURCE_DENIED", (response) => response.writeHead(403).end(TOKEN)],
    ["SOURCE_NOT_FOUND", (response) => response.writeHead(404).end()],
    ["SOURCE_UNREACHABLE", (response) => response.writeHead(302, { location: `${url}2` }).end()],
    ["SOURCE_UNREACHABLE", (response) => response.writeHead(500).end()],
    ["SOURCE_UNREACHABLE", (response) => response.writeHead(429).end()],
    ["SOURCE_NOT_GIT", (response) => response.writeHead(200, { "content-type": "text/html" }).end("<html>log in</html>")],
    ["SOURCE_NOT_GIT", (response) => response.writeHead(200, advert).end("<html>log in</html>")],
    ["SOURCE_NOT_GIT", (response) => response.writeHead(200, advert).end("001e# service=git-upload-pack\n0000zzzz")],
    ["SOURCE_NOT_GIT", (response) => response.writeHead(200, advert).end("")],
    ["SOURCE_UNREACHABLE", (response) => response.writeHead(200, advert).end("001e# service=git")],
    [
      "SOURCE_UNREACHABLE",
      (response) =>
        response.writeHead(200, { ...advert, "content-length": "99" }).write("001e# service=git-upload-pack\n", () => response.destroy()),
    ],
    ["SOURCE_UNREACHABLE", (response) => response.writeHead(200, advert).write("001e# service=git-upload-pack\n")],
    ["SOURCE_UNREACHABLE", () => undefined],
    [
      "SOURCE_TOO_LARGE",
      (response) => response.writeHead(200, advert).end("x".repeat(5000).replace(/^/, "001e# service=git-upload-pack\n00000fff")),
    ],
    ["SOURCE_DENIED", (response) => response.writeHead(200, advert).end("001e# service=git-upload-pack\n0000000fERR no such")],
  ];
  for (const [code, one] of cases) {
    answer = one;
    hits = 0;
    await refused(code, url, { token: () => TOKEN }, { idleMs: code === "SOURCE_UNREACHABLE" ? 150 : 10_000, maxBytes: 4000 });
    assert.equal(hits, 1, code);
  }
});

test("a server that hangs is let go of: its connections end when we give up, not when it does", async (t) => {
  let open = 0;
  const answers: ((response: http.ServerResponse) => void)[] = [
    () => undefined,
    (response) =>
      response.writeHead(200, { "content-type": "application/x-git-upload-pack-advertisement" }).write("001e# service=git-upload-pack\n"),
    (response) => response.writeHead(404, { "content-length": "1000" }).flushHeaders(),
  ];
  const { server, port } = await listening(
    t,
    http.createServer((_request, response) => answers.shift()?.(response)),
  );
  server.on("connection", (socket: Socket) => {
    open += 1;
    socket.once("close", () => (open -= 1));
  });
  const isFree = (): boolean => open === 0;
  while (answers.length > 0) {
    await assert.rejects(list(`http://127.0.0.1:${port}/x.git`, {}, { idleMs: 100 }));
    while (!isFree()) await new Promise((resolve) => setTimeout(resolve, 5));
  }
});

type ProxySeen = { readonly line: string; readonly auth: string | undefined };

/** A forward proxy as squid is one: CONNECT, and absolute URLs; with a password when it is given one. */
async function makeProxy(
  t: TestContext,
  login: string | null,
): Promise<{ url: string; seen: ProxySeen[]; open: () => number; mode: { answer: "pass" | "refuse" | "hang" } }> {
  const seen: ProxySeen[] = [];
  const mode = { answer: "pass" as "pass" | "refuse" | "hang" };
  const mayPass = (request: http.IncomingMessage): boolean => {
    const auth = request.headers["proxy-authorization"];
    seen.push({ line: `${request.method} ${request.url}`, auth });
    return login === null || auth === `Basic ${Buffer.from(login).toString("base64")}`;
  };
  const server = http.createServer((request, response) => {
    if (!mayPass(request)) return void response.writeHead(407).end();
    if (mode.answer === "refuse") return void response.writeHead(502).end();
    const target = new URL(request.url ?? "");
    const { "proxy-authorization": _mine, ...headers } = request.headers;
    const through = http.request(target, { method: request.method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    request.pipe(through);
  });
  server.on("connect", (request, socket: Socket) => {
    if (!mayPass(request)) return void socket.end("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
    if (mode.answer === "hang") return void socket.resume().once("end", () => socket.destroy());
    if (mode.answer === "refuse") return void socket.end("HTTP/1.1 503 pr0xy-pw\r\n\r\n");
    const [host = "", port = ""] = (request.url ?? "").split(":");
    const through = net.connect(Number(port), host, () => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      through.pipe(socket);
      socket.pipe(through);
    });
    through.on("error", () => socket.destroy());
    socket.on("error", () => through.destroy()).on("close", () => through.destroy());
  });
  let open = 0;
  server.on("connection", (socket: Socket) => {
    open += 1;
    socket.once("close", () => (open -= 1));
  });
  const { port } = await listening(t, server);
  return { url: `http://127.0.0.1:${port}`, seen, open: () => open, mode };
}

test("through a proxy: https by CONNECT, http by absolute URL without the token, with credentials; exceptions go straight", async (t) => {
  const bench = await makeBench(t, TOKEN);
  const tip = await commitTo(bench.gitdir, { files: { a: "1" } });
  const authority = makeAuthority(bench.folder);
  const url = await tlsBefore(t, bench, authority.issue("good", "IP:127.0.0.1"));
  const login = "fleet:pr0xy-pw:%@";
  const proxy = await makeProxy(t, login);
  const proxyAuthFile = join(bench.folder, "proxy-auth");
  writeFileSync(proxyAuthFile, `${login}\n`);
  const tokenFile = join(bench.folder, "token");
  writeFileSync(tokenFile, `${TOKEN}\n`);
  const files = { caFile: authority.caFile, proxy: proxy.url, proxyAuthFile, tokenFile };
  assert.equal(await list(url, await accessOf(files, url, {})), tip);
  assert.deepEqual(
    proxy.seen.splice(0).map(({ line }) => line),
    [`CONNECT ${new URL(url).host}`],
  );

  const plain = await makeBench(t);
  const plainTip = await commitTo(plain.gitdir, { files: { a: "2" } });
  const plainUrl = plain.server.url("fleet.git");
  assert.equal(await list(plainUrl, await accessOf(files, plainUrl, {})), plainTip);
  const lines = proxy.seen.splice(0).map(({ line }) => line);
  assert.deepEqual(lines, [`GET ${plainUrl}/info/refs?service=git-upload-pack`, `POST ${plainUrl}/git-upload-pack`]);
  const closed = bench.server.url("fleet.git");
  assert.match((await refused("SOURCE_DENIED", closed, await accessOf(files, closed, {}))).why ?? "", /plain http/);
  proxy.seen.length = 0;

  assert.equal(await list(url, await accessOf({ ...files, noProxy: ["127.0.0.1"] }, url, {})), tip);
  assert.deepEqual(proxy.seen, []);
  const env = { https_proxy: proxy.url.replace("//", `//fleet:${encodeURIComponent("pr0xy-pw:%@")}@`) };
  assert.equal(await list(url, await accessOf({ ...files, proxy: undefined }, url, env)), tip);
  assert.deepEqual(proxy.seen, []); // nobody asked for the environment's
  assert.equal(await list(url, await accessOf({ ...files, proxy: "env" }, url, env)), tip);
  assert.equal(proxy.seen.length, 1);
});

test("a source that no HTTP proxy can serve does not look at one", async () => {
  for (const url of ["ssh://git@h/x", "git@h:x", "/srv/fleet.git", "file:///srv/fleet.git"])
    assert.equal((await accessOf({ proxy: "env" }, url, { https_proxy: "socks5://p:1080" })).proxy, undefined);
  await assert.rejects(accessOf({ proxy: "env" }, "https://h/x", { https_proxy: "socks5://p:1080" }), { code: "SOURCE_MISCONFIGURED" });
});

test("a proxy that wants other credentials, opens nothing, hangs or is not there is told as such", async (t) => {
  const bench = await makeBench(t);
  const authority = makeAuthority(bench.folder);
  const url = await tlsBefore(t, bench, authority.issue("good", "IP:127.0.0.1"));
  const plain = bench.server.url("fleet.git");
  const proxy = await makeProxy(t, "a:pr0xy-pw");
  const by = async (credentials: string | undefined, target = url, proxyUrl = proxy.url): Promise<Access> => ({
    ...(await accessOf({ caFile: authority.caFile }, target, {})),
    proxy: { url: proxyUrl, except: [], ...(credentials === undefined ? {} : { credentials: () => credentials }) },
  });
  for (const target of [url, plain]) {
    await refused("SOURCE_PROXY_REFUSED", target, await by(undefined, target));
    await refused("SOURCE_PROXY_REFUSED", target, await by("a:wrong", target));
  }
  await refused("SOURCE_MISCONFIGURED", url, await by("nocolon"));
  proxy.mode.answer = "refuse";
  await refused("SOURCE_PROXY_REFUSED", url, await by("a:pr0xy-pw"));
  await refused("SOURCE_UNREACHABLE", plain, await by("a:pr0xy-pw", plain));
  proxy.mode.answer = "hang";
  await refused("SOURCE_UNREACHABLE", url, await by("a:pr0xy-pw"), { idleMs: 150 });
  while (proxy.open() > 0) await new Promise((resolve) => setTimeout(resolve, 10)); // it is not left hanging either
  await refused("SOURCE_UNREACHABLE", url, await by("a:pr0xy-pw", url, "http://127.0.0.1:1"));
});
