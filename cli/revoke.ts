import { fromBase64, toBase64 } from "#base/canonical/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { type Time, timeOf } from "#base/time/index.ts";
import { ACTION_NAMESPACE, composeStatement, parseTrust, type Trust, verifyStatement } from "#proof/release/index.ts";
import { statementFolder } from "#reconciler/source/index.ts";
import type { Bytes64, FleetId, MachineId, MachineStatus, SignedStatement, Statement, StatementAnswer } from "#schemas/wire/index.ts";
import { NAME, SECRET_REF } from "#schemas/wire/index.ts";
import { memoryOf } from "./fleet/memory.ts";
import { demandOutcome, type Deps, type Fleet, openFleet, type SourceOptions } from "./fleet/open.ts";
import { hubClient } from "./hub/client.ts";
import type { Out } from "./io.ts";
import { pushSigned } from "./release/push.ts";
import { standingOf } from "./release/standing.ts";
import { type SignerOptions, signerOf } from "./sign/index.ts";

export type RevokeOptions = SourceOptions &
  SignerOptions & {
    readonly target: string;
    readonly reason: string;
    readonly machines: "all" | readonly string[];
    /** The hub's socket; without it the statement takes the way over git. */
    readonly hub?: string | undefined;
  };

/** `mooring revoke`: one named person takes a secret, plugin or machine out of use. The hub gets it first, since that is where it works within a
 *  second; then the releases branch, where it stays. What the git server is down for does not stop the first. */
export async function revoke(options: RevokeOptions, out: Out, deps: Deps): Promise<number> {
  const target = targetOf(options.target);
  const verified = await verifiedTrust(options, "revoke");
  const now = timeOf(deps.clock());
  const bytes = composeStatement({
    t: "mooring/action/v1",
    fleet: verified.fleet as FleetId,
    action: "revoke",
    target,
    machines: options.machines === "all" ? "all" : (options.machines as readonly MachineId[]),
    reason: options.reason,
    issued: now,
    expires: null,
  });
  const signer = await signerOf(options, [verified.trust.section], verified.serial);
  checkNamed(options.as, verified.trust, "revoke");
  const armored = await signer.sign(bytes, ACTION_NAMESPACE);
  const signed: SignedStatement = { bytes: toBase64(bytes) as Bytes64, sigs: [armored] };
  verifyStatement(signed, { fleet: verified.fleet, now, trust: verified.trust.section, serial: verified.serial });
  const failed = options.hub === undefined ? null : await tellHub(options.hub, signed, out, now);
  const folder = statementFolder(bytes);
  const message = `revoke ${options.target}: signed by ${options.as}`;
  await pushSigned(options, new Map([[`${folder}/action.json`, bytes]]), [{ folder, armored }], options.as, message, deps);
  out.write(`revoked ${options.target}; on mooring/releases as ${folder}\n`);
  if (failed !== null) throw failed;
  return 0;
}

/** `secret://team/x`, `plugin/NAME` or `machine/NAME`; throws USAGE. */
export function targetOf(text: string): NonNullable<Statement["target"]> {
  if (text.startsWith("secret://") && SECRET_REF.test(text)) return { kind: "secret", name: text };
  const [kind, name, ...rest] = text.split("/");
  if (kind === "signer")
    throw new MooringError("NOT_YET", `revoke ${text}`, {
      fix: "drop the key in trust/allowed_signers, merge it, then `mooring release --distrust`",
    });
  if ((kind === "plugin" || kind === "machine") && name !== undefined && rest.length === 0 && NAME.test(name)) return { kind, name };
  throw new MooringError("USAGE", `revoke ${text}`, { why: "name secret://team/x, plugin/NAME or machine/NAME" });
}

type Verified = { readonly fleet: string; readonly trust: Trust; readonly serial: number };

/** The trust section of the newest complete release; the remembered one while it serves, since every second counts, and when the source is away. */
async function verifiedTrust(options: RevokeOptions, action: Statement["action"]): Promise<Verified> {
  const known = await memoryOf(options.cache, options.source).read();
  if (known !== null && known.verified !== null && (options.trustRoot === undefined || options.trustRoot === known.trustRoot)) {
    const trust = parseTrust(fromBase64(known.verified.trust, "the remembered trust section"));
    if (isNamed(options.as, trust, action)) return { fleet: known.verified.fleet, trust, serial: known.serial };
  }
  return readTrust(await openFleet(options));
}

async function readTrust(fleet: Fleet): Promise<Verified> {
  const main = await demandOutcome(fleet, fleet.main);
  const standing = await standingOf(fleet, await fleet.branchFor(main.resolved.fleet), main);
  const [newest] = standing.trusts;
  if (newest === undefined) throw new MooringError("RELEASE_MISSING", "nothing is released yet, so nobody is known who may revoke");
  return { fleet: main.resolved.fleet, ...newest };
}

function isNamed(principal: string, { section }: Trust, action: Statement["action"]): boolean {
  return section.actions.some((rule) => rule.actions.includes(action) && rule.principals.includes(principal));
}

/** Throws SIGNER_UNKNOWN unless spec.trust.actions names this principal for the action. */
export function checkNamed(principal: string, trust: Trust, action: Statement["action"]): void {
  if (isNamed(principal, trust, action)) return;
  const named = trust.section.actions.filter((rule) => rule.actions.includes(action)).flatMap((rule) => rule.principals);
  throw new MooringError("SIGNER_UNKNOWN", `${principal} may not ${action}`, {
    why: named.length === 0 ? "spec.trust.actions names nobody" : `spec.trust.actions names ${[...new Set(named)].join(", ")}`,
  });
}

/** Prints who obeys; gives back what kept the hub from taking it, which must not keep it from the branch. */
async function tellHub(socket: string, signed: SignedStatement, out: Out, now: Time): Promise<MooringError | null> {
  const hub = hubClient(socket);
  try {
    const answer = await hub.state(signed);
    const isWhole = answer.machines.every(({ outcome }) => outcome === "accepted");
    out.write(answerText(answer, isWhole ? [] : await hub.machines(), now));
    return null;
  } catch (err) {
    if (err instanceof MooringError) return err;
    throw err;
  }
}

/** "refused on 2/3; mini-02 offline: lease ends …". Pure. */
export function answerText(answer: StatementAnswer, machines: readonly MachineStatus[], now: Time): string {
  const accepted = answer.machines.filter(({ outcome }) => outcome === "accepted").length;
  const others = answer.machines
    .filter(({ outcome }) => outcome !== "accepted")
    .map(({ name, outcome }) => {
      const until = machines.find((machine) => machine.name === name)?.lease?.until;
      if (until === undefined) return `${name} ${outcome}`;
      return until > now ? `${name} ${outcome}: lease ends ${until}` : `${name} ${outcome}: lease has ended`;
    });
  const vault = answer.vault === "accepted" || answer.vault === "none" ? [] : [`vault: ${answer.vault}`];
  return `${[`refused on ${accepted}/${answer.machines.length}`, ...others, ...vault].join("; ")}\n`;
}
