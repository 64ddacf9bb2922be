import diagnostics from "node:diagnostics_channel";
import { type AgentClient, agentClient } from "#reconciler/agents/index.ts";
import { connect, hasNativeCrypto, pinsOf } from "#reconciler/ssh/index.ts";
import { sleep } from "#base/time/index.ts";
import { answerWith } from "../child.ts";
import type { FromHub, HostAddress, ToHub } from "./messages.ts";

// The hub's side and nothing else: links and wire clients of the product, so that this process's CPU and memory are the hub's.
type Machine = { readonly client: AgentClient; readonly root: HostAddress["root"] };

const AT_ONCE = 10; // logins at the same time; sshd's own cost is what bounds them
const machines: Machine[] = [];
const stopping = new AbortController();
let requests = 0;
diagnostics.subscribe("http.client.request.start", () => (requests += 1));

answerWith(
  (question: ToHub): Promise<FromHub> => measured(() => run(question)),
  async () => {
    stopping.abort();
    for (const { client } of machines) client.close();
    await sleep(500); // the goodbyes go out
  },
);

async function run(question: ToHub): Promise<unknown> {
  switch (question.t) {
    case "connect":
      return connectAll(question.hosts, question.privateKey);
    case "sweep":
      return Promise.all(machines.map(({ client, root }) => unchanged(client, root)));
    case "rehash":
      return Promise.all(machines.map(({ client, root }) => unchanged(client, root, "hash")));
    case "idle":
      return sleep(question.seconds * 1000);
    default:
      return question satisfies never;
  }
}

async function measured(work: () => Promise<unknown>): Promise<FromHub> {
  const before = { requests, cpu: process.cpuUsage(), at: performance.now() };
  await work();
  const wallMs = performance.now() - before.at;
  const { user, system } = process.cpuUsage(before.cpu);
  return {
    wallMs,
    cpuMs: (user + system) / 1000,
    requests: requests - before.requests,
    rssMb: process.memoryUsage.rss() / 1024 / 1024,
    hasNativeCrypto: hasNativeCrypto(),
  };
}

/** null = 304: the machine's live root is the one that was asked for. Anything else would make the number one of another thing. */
async function unchanged(client: AgentClient, root: HostAddress["root"], fresh?: "hash"): Promise<void> {
  if ((await client.live([root], fresh)) !== null) throw new Error("a machine's live root is not the desired one");
}

async function connectAll(hosts: readonly HostAddress[], privateKey: string): Promise<void> {
  const left = [...hosts];
  const worker = async (): Promise<void> => {
    for (let host = left.shift(); host !== undefined; host = left.shift()) machines.push(await open(host, privateKey));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

async function open({ name, port, username, hostKey, root }: HostAddress, privateKey: string): Promise<Machine> {
  const link = await connect(
    { name, address: "127.0.0.1", port, username, pins: pinsOf([hostKey], name) },
    { privateKey, signal: stopping.signal },
  );
  const client = agentClient(name, link, stopping.signal);
  await client.claim(2, "bench");
  const live = await client.live([]);
  if (live?.root !== root) throw new Error(`${name} does not show the desired root`);
  await new Promise<void>((resolve, reject) => {
    const on = { onHello: () => resolve(), onRoot: () => undefined, onEvent: () => undefined };
    void client.events(null, 2, on).then(() => reject(new Error(`${name}: the event stream ended`)), reject);
  });
  return { client, root };
}
