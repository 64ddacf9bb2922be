import type { Socket } from "node:net";
import { canon, fromBase64, toBase64 } from "#base/canonical/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { msOf } from "#base/time/index.ts";
import type { BridgeState, BridgeValue, FromBridge, ToBridge } from "#bridge/client/ipc.ts";
import { type BindingsAnswer, type Envelope, envelope, type PluginId, signedLease } from "#schemas/wire/index.ts";
import { verifyEnvelope } from "#seal/envelope/index.ts";
import { openWith } from "#seal/hpke/index.ts";
import { Budget } from "./budget.ts";
import { checkedLease, findGrant, refsOf } from "./decide.ts";
import type { Device } from "./device.ts";
import { PluginLink } from "./link.ts";
import { readOutput } from "./output.ts";
import { type Run, Runs } from "./run.ts";
import { Secrets } from "./secrets.ts";

const PACK_INFO = new TextEncoder().encode("mooring/pack/v1");
const ATTEST = new TextEncoder().encode("mooring/attest/v1\n");

/** Requests a plugin may make at once, then one a second: each costs an entry in the log. */
const REQUESTS = { burst: 120, perSecond: 1 };

/** What the agent can ask of the bridge. None of it opens a secret: only a request on an attached run's fd 3 does. */
export class Bridge {
  readonly #device: Device;
  readonly #send: (message: FromBridge) => boolean;
  readonly #secrets: Secrets;
  readonly #runs = new Runs();
  readonly #budgets = new Map<PluginId, Budget>();
  #state: BridgeState | null = null;
  #logged: string | null = null;

  /** `send` gives false when the agent does not keep up. */
  constructor(device: Device, send: (message: FromBridge) => boolean) {
    this.#device = device;
    this.#send = send;
    const { kx, point, ecdh, audit, floor, envelopes, lease } = device;
    const onUse = (run: Run, ref: string, outcome: "delivered" | "refused", code: string | null): void =>
      void send({ t: "use", plugin: run.plugin, ref, outcome, code });
    this.#secrets = new Secrets({ kx, point, ecdh, audit, floor, envelopes, lease, state: () => this.#state, onUse });
  }

  async handle(request: ToBridge, socket: Socket | undefined): Promise<BridgeValue> {
    switch (request.t) {
      case "state":
        return await this.#setState(request.state);
      case "attach":
        return this.#attach(request, given(socket));
      case "output":
        return this.#output(request, given(socket));
      case "detach":
        return await this.#detach(request.plugin, request.runSeq);
      case "bindings":
        return await this.#bindings(request.envelopes, request.tombstones);
      case "lease":
        return await this.#lease(request.lease);
      case "unwrap":
        return await this.#unwrap(request);
      case "sign":
        return { bytes: toBase64(await this.#device.sign(Buffer.concat([ATTEST, fromBase64(request.bytes, "sign")]))) };
      default:
        return request satisfies never;
    }
  }

  async #setState(state: BridgeState): Promise<null> {
    await this.#device.audit.open(state);
    this.#device.floor.observe(msOf(state.floor));
    this.#state = state; // before it is logged: what is taken away is away even while the log cannot be written
    this.#takeBack(state);
    const facts = factsOf(state);
    if (this.#logged === facts) return null;
    await this.#device.audit.write({ op: "state.install", outcome: "ok", version: state.releaseSerial });
    this.#logged = facts;
    return null;
  }

  /** Tells runs which of the secrets they hold are theirs no longer. */
  #takeBack(state: BridgeState): void {
    const now = this.#device.floor.now();
    for (const run of this.#runs.all()) {
      for (const ref of run.holds) {
        if (!("at" in findGrant(run.plugin, ref, state, this.#secrets.key, now))) continue;
        run.holds.delete(ref);
        run.link?.revoked(ref);
      }
    }
  }

  #attach({ plugin, runSeq, bundle }: Extract<ToBridge, { t: "attach" }>, socket: Socket): null {
    const run = this.#runs.of(plugin, runSeq);
    run.link?.close();
    run.bundle = bundle;
    const mono = this.#device.mono;
    const budget = this.#budgets.get(plugin) ?? new Budget(REQUESTS.burst, REQUESTS.perSecond, mono());
    this.#budgets.set(plugin, budget);
    const link: PluginLink = new PluginLink(socket, {
      plugin,
      refs: refsOf(plugin, this.#state, this.#secrets.key),
      answer: (ref) => this.#secrets.answer(run, ref),
      waitMs: () => (budget.take(mono()) ? 0 : budget.waitMs(mono())),
      onMalformed: () =>
        void this.#device.audit.deny(plugin, { op: "secret.deny", outcome: "denied", bundle, runSeq, code: "FRAME_MALFORMED" }),
      onClose: () => {
        if (run.link === link) run.link = null;
        this.#runs.forgetIfOver(run);
      },
    });
    run.link = link;
    return null;
  }

  #output({ plugin, runSeq, stream }: Extract<ToBridge, { t: "output" }>, socket: Socket): null {
    const run = this.#runs.of(plugin, runSeq);
    run.outputs += 1;
    const onClose = (): void => {
      run.outputs -= 1;
      this.#runs.forgetIfOver(run);
    };
    readOutput(socket, { plugin, runSeq, stream, redactor: run.redactor, mono: this.#device.mono, send: this.#send, onClose });
    return null;
  }

  async #detach(plugin: PluginId, runSeq: number): Promise<null> {
    const run = this.#runs.of(plugin, runSeq);
    run.link?.close();
    this.#runs.forgetIfOver(run);
    await this.#device.audit.settle(plugin);
    return null;
  }

  async #bindings(envelopes: readonly Envelope[], tombstones: readonly string[]): Promise<BindingsAnswer> {
    const state = this.#known();
    const items: BindingsAnswer["items"][number][] = [];
    for (const item of envelopes) items.push(await this.#keepEnvelope(item, state));
    for (const grant of tombstones) items.push({ grant, outcome: (await this.#device.envelopes.drop(grant)) ? "accepted" : "stale" });
    const accepted = items.filter(({ outcome }) => outcome === "accepted").length;
    if (accepted > 0) await this.#device.audit.write({ op: "bindings.install", outcome: "ok", count: accepted });
    return { items };
  }

  async #keepEnvelope(item: Envelope, state: BridgeState): Promise<BindingsAnswer["items"][number]> {
    let grant = "(unread)";
    try {
      const parsed = envelope.safeParse(item);
      if (!parsed.success) throw new MooringError("ENVELOPE_REFUSED", "bindings", { why: "not an envelope" });
      const what = verifyEnvelope(parsed.data, state.vaultKeys, state.releaseSerial);
      grant = state.grants.find(({ leaf }) => leaf === what.grantDigest)?.section.name ?? what.grantDigest;
      if (what.fleet !== state.fleet || what.machine !== state.machine || what.key !== this.#secrets.key)
        throw new MooringError("ENVELOPE_REFUSED", `bindings: ${grant}`, { why: "it is for another machine or key" });
      this.#device.floor.observe(msOf(what.notBefore));
      return { grant, outcome: await this.#device.envelopes.keep(grant, parsed.data, what, this.#device.floor.now()) };
    } catch (err) {
      if (!(err instanceof MooringError)) throw err;
      return { grant, outcome: "refused", code: err.code };
    }
  }

  async #lease(signed: unknown): Promise<null> {
    const parsed = signedLease.safeParse(signed);
    const what = parsed.success ? checkedLease(parsed.data, this.#known(), this.#secrets.key) : null;
    if (!parsed.success || what === null) throw new MooringError("LEASE_REFUSED", "a lease", { why: "it is for another machine or key" });
    this.#device.floor.observe(msOf(what.notBefore));
    await this.#device.lease.keep(parsed.data, what);
    await this.#device.audit.write({ op: "lease.install", outcome: "ok", version: what.serial });
    return null;
  }

  async #unwrap({ enc, aad, ct }: Extract<ToBridge, { t: "unwrap" }>): Promise<BridgeValue> {
    const [e, a, c] = [fromBase64(enc, "unwrap.enc"), fromBase64(aad, "unwrap.aad"), fromBase64(ct, "unwrap.ct")];
    return { bytes: toBase64(await openWith(this.#device.ecdh, this.#device.point, e, PACK_INFO, a, c)) };
  }

  #known(): BridgeState {
    if (this.#state === null) throw new MooringError("BRIDGE_NO_STATE", "bridge");
    return this.#state;
  }
}

/** What of a state an auditor wants to see change: the release and what is revoked. */
function factsOf({ releaseSerial, revoked }: BridgeState): string {
  return canon({ releaseSerial, revoked });
}

function given(socket: Socket | undefined): Socket {
  if (socket === undefined) throw new MooringError("BRIDGE_NO_SOCKET", "bridge");
  return socket;
}
