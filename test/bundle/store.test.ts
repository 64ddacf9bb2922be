import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { digestOf } from "#base/canonical/index.ts";
import { fetchBundle, openBundleStore } from "#reconciler/bundles/index.ts";
import { makeKey, signedPlugin } from "./support.ts";

const key = makeKey();
const good = await signedPlugin(key);
const signal = new AbortController().signal;
const requests: string[] = [];
let respond: RequestListener = serve(good.packed.tgz, good.bundleJson);

const server = createServer((request, response) => {
  requests.push(request.url ?? "");
  respond(request, response);
});
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/demo-1.0.0.tgz`;
const root = await mkdtemp(join(tmpdir(), "mb-"));
after(async () => {
  server.closeAllConnections();
  server.close();
  await rm(root, { recursive: true });
});

function serve(tgz: Uint8Array, bundleJson: Uint8Array): RequestListener {
  return (request, response) => {
    const path = new URL(request.url ?? "", "http://x").pathname;
    if (path === "/demo-1.0.0.tgz") response.end(tgz);
    else if (path === "/demo-1.0.0.tgz.sigstore.json") response.end(bundleJson);
    else response.writeHead(404).end();
  };
}

async function withAnswers(listener: RequestListener, work: () => Promise<void>): Promise<void> {
  const before = respond;
  respond = listener;
  try {
    await work();
  } finally {
    respond = before;
  }
}

let count = 0;
const emptyFolder = (): string => join(root, String(count++));

test("an archive and its signature come from beside each other, also with a query", async () => {
  const fetched = await fetchBundle(`${url}?token=x`, good.packed.digest, signal);
  assert.deepEqual(fetched.tgz, good.packed.tgz);
  assert.deepEqual(fetched.bundleJson, good.bundleJson);
  assert.ok(requests.includes("/demo-1.0.0.tgz.sigstore.json?token=x"));
});

test("other bytes, a missing file, a cut body and a dead server are refused by name", async () => {
  await assert.rejects(fetchBundle(url, digestOf("other"), signal), { code: "BUNDLE_DIGEST_MISMATCH" });
  await assert.rejects(fetchBundle(url.replace("1.0.0", "2.0.0"), good.packed.digest, signal), { code: "BUNDLE_UNREACHABLE" });
  const cut: RequestListener = (_request, response) => {
    response.writeHead(200, { "content-length": "1000" });
    response.write("x", () => response.destroy());
  };
  await withAnswers(cut, () => assert.rejects(fetchBundle(url, good.packed.digest, signal), { code: "BUNDLE_UNREACHABLE" }));
  await assert.rejects(fetchBundle("http://127.0.0.1:1/x.tgz", good.packed.digest, signal), { code: "BUNDLE_UNREACHABLE" });
});

test("a file of the hub's own disk is a source too", async () => {
  const path = join(root, "local.tgz");
  await writeFile(path, good.packed.tgz);
  const local = (): ReturnType<typeof fetchBundle> => fetchBundle(`file://${path}`, good.packed.digest, signal);
  await assert.rejects(local(), { code: "BUNDLE_UNREACHABLE" }); // no signature beside it
  await writeFile(`${path}.sigstore.json`, good.bundleJson);
  assert.deepEqual((await local()).bundleJson, good.bundleJson);
});

test("an endless body ends at the byte cap", async () => {
  const endless: RequestListener = (_request, response) => {
    const part = Buffer.alloc(1 << 20);
    const more = (): void => void (response.destroyed || response.write(part, more));
    more();
  };
  await withAnswers(endless, () => assert.rejects(fetchBundle(url, good.packed.digest, signal), { code: "BUNDLE_TOO_LARGE" }));
});

test("sources that are no plain http(s) URL are refused, and their credentials are not repeated", async () => {
  for (const bad of ["file://host/x.tgz", "demo.tgz", "ftp://x/y", "https://user:hunter2@example.net/x.tgz"])
    await assert.rejects(fetchBundle(bad, good.packed.digest, signal), (err: Error) => {
      assert.equal((err as unknown as { code: string }).code, "BUNDLE_SOURCE_REFUSED");
      return !`${err.message}${(err as unknown as { why: string }).why}`.includes("hunter2");
    });
});

test("a bundle is fetched once, kept by digest, and verified at every call", async () => {
  const folder = emptyFolder();
  const store = openBundleStore(folder);
  requests.length = 0;
  const [one, two] = await Promise.all([store.get(good.want, url, signal), store.get(good.want, url, signal)]);
  assert.equal(one.statement.id, "demo");
  assert.deepEqual(two.tgz, good.packed.tgz);
  assert.equal(requests.length, 2); // the archive and its signature, once for both calls
  await openBundleStore(folder).get(good.want, null, signal); // another run, from the cache alone
  assert.equal(requests.length, 2);
  await assert.rejects(store.get({ ...good.want, signer: makeKey().signer }, url, signal), { code: "SIGSTORE_SIGNER_MISMATCH" });
});

test("nothing unsigned is kept, and without a URL there is nothing", async () => {
  const folder = emptyFolder();
  const thief = await signedPlugin(makeKey());
  await withAnswers(serve(good.packed.tgz, thief.bundleJson), () =>
    assert.rejects(openBundleStore(folder).get(good.want, url, signal), { code: "SIGSTORE_SIGNER_MISMATCH" }),
  );
  await assert.rejects(readdir(folder), { code: "ENOENT" });
  await assert.rejects(openBundleStore(folder).get(good.want, null, signal), { code: "BUNDLE_UNREACHABLE" });
});

test("a changed cache file is fetched again", async () => {
  const folder = emptyFolder();
  const store = openBundleStore(folder);
  await store.get(good.want, url, signal);
  for (const name of await readdir(folder)) {
    await writeFile(join(folder, name), "changed");
    assert.deepEqual((await store.get(good.want, url, signal)).tgz, good.packed.tgz);
  }
});
