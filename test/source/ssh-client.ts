import type { TestContext } from "node:test";
import type { HttpClient } from "isomorphic-git";
import { FLUSH, packet, PacketReader } from "#reconciler/source/transport/pkt-line.ts";
import { connectExec, type Exec, type PinnedHost, pinsOf } from "#reconciler/ssh/index.ts";
import type { SshBench } from "./ssh-bench.ts";

/** An HTTP client for isomorphic-git that talks with git-upload-pack through SSH, in git's old protocol: its two requests are one run of the program.
 *  `url` is how isomorphic-git calls the bench's repository. */
export async function isogitOverSsh(t: TestContext, bench: SshBench): Promise<{ readonly http: HttpClient; readonly url: string }> {
  const { address, port, username } = hostOf(bench);
  const host = { name: "git server", address, port, username, pins: pinsOf([bench.sshd.hostKey], "test") };
  const signal = new AbortController().signal;
  const link = await connectExec(host, { login: { privateKey: bench.key.privateKey }, signal });
  t.after(() => link.close());
  let open: { readonly exec: Exec; readonly reader: PacketReader } | null = null;
  const request: HttpClient["request"] = async ({ url, method, body }) => {
    const type = `application/x-git-upload-pack-${method === "POST" ? "result" : "advertisement"}`;
    const answer = (parts: AsyncGenerator<Uint8Array>) => ({
      url,
      statusCode: 200,
      statusMessage: "OK",
      headers: { "content-type": type },
      body: parts,
    });
    if (method !== "POST") {
      const exec = await link.exec(`git-upload-pack '${bench.gitdir}'`, {}, signal);
      open = { exec, reader: new PacketReader(exec.stream as AsyncIterable<Uint8Array>, "test") };
      return answer(upToFlush(open.reader, [packet("# service=git-upload-pack\n"), FLUSH]));
    }
    if (open === null) throw new Error("nothing was listed");
    for await (const part of body ?? []) open.exec.stream.write(part);
    open.exec.stream.end();
    return answer(upToFlush(open.reader, []));
  };
  return { http: { request }, url: "http://bench.invalid/fleet.git" };
}

function hostOf(bench: SshBench): Pick<PinnedHost, "address" | "port" | "username"> {
  const { username, hostname, port } = new URL(bench.url("/x"));
  return { username, address: hostname, port: Number(port) };
}

async function* upToFlush(reader: PacketReader, before: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* before;
  for (let item = await reader.next(); item instanceof Uint8Array; item = await reader.next()) yield packet(item);
  yield FLUSH;
}
