import { execFile } from "node:child_process";
import { basename } from "node:path";
import { MooringError } from "#base/errors/index.ts";
import { name as fleetName, principal } from "#schemas/fleet/common.ts";
import type { Out } from "../io.ts";
import { publicHalf } from "../sign/index.ts";
import { type Candidate, candidates, isHardware } from "./keys.ts";

/** Who is asked; null where there is no terminal. Gives back the preset for an empty answer. */
export type Ask = (question: string, preset: string) => Promise<string>;

export type Questions = {
  readonly dir: string;
  readonly yes: boolean;
  readonly name?: string;
  readonly as?: string;
  /** A private key or .pub file. */
  readonly key?: string;
  /** Where the hub will run: a host that ssh knows. */
  readonly hub?: string;
};

export type Answers = {
  readonly name: string;
  readonly principal: string;
  readonly key: string;
  /** What `--key` of release will be, or null where only the agent has the key. */
  readonly keyFile: string | null;
  readonly hub: string | null;
};

export type Surroundings = { readonly ask: Ask | null; readonly out: Out; readonly sshFolder: string; readonly env: NodeJS.ProcessEnv };

/** Everything that has to be known; asks for what no option says. With --yes, or without a terminal, presets are taken, and what has none is USAGE. */
export async function answersOf(questions: Questions, around: Surroundings): Promise<Answers> {
  const ask = questions.yes ? null : around.ask;
  const name = await answer(ask, "Name of the fleet", questions.name, slug(basename(questions.dir)), (text) => checked(fleetName, text));
  const mail = await gitEmail(around.env);
  const who = await answer(ask, "Your name as a signer (an e-mail address)", questions.as, mail, (text) => checked(principal, text));
  const { key, file } = await chosenKey(questions, ask, around);
  const hub = await answer(ask, "Host that the hub will run on, as ssh knows it (- = later)", questions.hub, "-", (text) =>
    /^(-|[A-Za-z0-9][\w.@:-]{0,253})$/.test(text) ? null : "a host as ssh knows it, like ops@hub.example.net",
  );
  if (["vault", "hub", "recovery"].includes(who)) throw usage("--as", `${who} is the name of another principal`);
  return { name, principal: who, key, keyFile: file, hub: hub === "-" ? null : hub };
}

/** Asks until the answer is of its form; an option of another form is USAGE. */
async function answer(
  ask: Ask | null,
  question: string,
  given: string | undefined,
  preset: string,
  check: (text: string) => string | null,
): Promise<string> {
  let wrong = given === undefined ? null : check(given);
  if (given !== undefined && wrong === null) return given;
  if (given !== undefined || ask === null) {
    wrong ??= preset === "" ? "there is no terminal to ask on, and no preset" : check(preset);
    if (wrong === null) return preset;
    throw usage(question, wrong);
  }
  for (;;) {
    const text = (await ask(wrong === null ? question : `${question}: ${wrong}`, preset)).trim();
    wrong = check(text);
    if (wrong === null) return text;
  }
}

async function chosenKey(questions: Questions, ask: Ask | null, { out, sshFolder, env }: Surroundings) {
  if (questions.key !== undefined) return { key: await publicHalf(questions.key), file: questions.key };
  const found = await candidates(sshFolder, env);
  const [first] = found;
  if (first === undefined)
    throw new MooringError("INIT_KEY_MISSING", "no SSH key to sign with", { why: `ssh-agent has none, and ${sshFolder} has no .pub file` });
  if (ask === null) return { key: first.key, file: first.file };
  out.write(`\nKeys you could sign with:\n${found.map((item, i) => `  ${i + 1}  ${keyText(item)}\n`).join("")}`);
  const number = await answer(ask, "Which one", undefined, "1", (text) =>
    /^[1-9]\d*$/.test(text) && Number(text) <= found.length ? null : `a number from 1 to ${found.length}`,
  );
  const { key, file } = found[Number(number) - 1]!;
  return { key, file };
}

function keyText({ key, comment, file, inAgent }: Candidate): string {
  const type = key.slice(0, key.indexOf(" "));
  const where = [...(file === null ? [] : [file]), ...(inAgent ? ["ssh-agent"] : [])].join(", ");
  return `${type}${isHardware(key) ? " (hardware: touch)" : ""}  ${comment === "" ? "" : `${comment}  `}${where}`;
}

type Schema = { safeParse(value: unknown): { success: boolean; error?: { issues: readonly { message: string }[] } | undefined } };

function checked(schema: Schema, text: string): string | null {
  const result = schema.safeParse(text);
  return result.success ? null : (result.error?.issues[0]?.message ?? "not of its form");
}

function slug(text: string): string {
  return (
    text
      .toLowerCase()
      .replaceAll(/[^a-z0-9.-]+/g, "-")
      .replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, "")
      .slice(0, 63) || "fleet"
  );
}

function gitEmail(env: NodeJS.ProcessEnv): Promise<string> {
  return new Promise((resolve) => {
    execFile("git", ["config", "user.email"], { env, timeout: 5_000 }, (err, stdout) => resolve(err === null ? stdout.trim() : ""));
  });
}

function usage(what: string, why: string): MooringError {
  return new MooringError("USAGE", `mooring init: ${what}`, { why, fix: "give it as an option; `mooring init --help` lists them" });
}
