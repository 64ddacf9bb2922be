import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { parse } from "yaml";
import { markdown, repoFiles, ROOT, textOf } from "./files.ts";

const run = promisify(execFile);
const mooring = join(ROOT, "bin/mooring");
const scripts = (JSON.parse(textOf("package.json")) as { readonly scripts: Readonly<Record<string, string>> }).scripts;

/** Commands of the pages that a test runs, by what they start with; the others are held to exist: npm scripts, our programs, their commands. */
const EXAMPLES = ["validate examples/fleet-repo", "--version"];

function commands(page: string): readonly string[] {
  return markdown(textOf(page))
    .blocks.filter(({ lang }) => lang === "sh")
    .flatMap(({ body }) => body.split("\n"))
    .map((line) => line.replace(/\s+#.*$/, "").trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
}

test("the README gives exactly two commands under “Try it” and “Test it”", () => {
  const readme = textOf("README.md");
  const section = (title: string): string => new RegExp(`^## ${title}\\n([\\s\\S]*?)(?=^## )`, "m").exec(readme)?.[1] ?? "";
  const of = (title: string): readonly string[] => markdown(section(title)).blocks.map(({ body }) => body.trim());
  assert.deepEqual(of("Try it"), ["npm run demo"]);
  assert.deepEqual(of("Test it"), ["npm test"]);
});

test("every command of the pages is one of ours", async () => {
  const help = await run(mooring, ["--help"]);
  for (const page of repoFiles().filter((path) => path.endsWith(".md"))) {
    for (const command of commands(page)) assert.ok(isOurs(command, help.stdout), `${page}: ${command}`);
  }
});

function isOurs(command: string, help: string): boolean {
  const words = command.split(/\s+/);
  const [program = "", first = "", second = ""] = words;
  if (program === "npm")
    return (
      first === "test" || first === "ci" || (first === "run" && (words.slice(2).find((word) => !word.startsWith("-")) ?? "") in scripts)
    );
  if (program === "sh" || program === "bash") return existsSync(join(ROOT, first));
  if (/^(\.\/bin\/)?mooring$/.test(program)) return first.startsWith("-") || new RegExp(`^\\s+${first}\\b`, "m").test(help);
  if (/^(\.\/)?bin\//.test(program)) return existsSync(join(ROOT, program));
  return ["git", "docker", "sudo", "cd", "openclaw-lobster", "mooring-vault", "ssh-keygen"].includes(program) && second !== undefined;
}

test("what the pages show of validate is so", async () => {
  for (const example of EXAMPLES) await run(mooring, example.split(" "), { cwd: ROOT });
});

test("the review that the README shows is what mooring plan says of that change", () => {
  const [, shown = ""] = /from git alone[^\n]*\n```\n([^`]+)\n```/.exec(textOf("README.md")) ?? [];
  const said = textOf("examples/pull-requests/label-widens/expected.txt");
  assert.ok(shown.length > 400);
  for (const part of shown.split("\n\n")) assert.ok(said.includes(part), part);
});

test("a misspelled field is shown at its place and ends with 1", async () => {
  const copy = mkdtempSync(join(tmpdir(), "typo-"));
  try {
    cpSync(join(ROOT, "examples/fleet-repo"), copy, { recursive: true });
    const name = readdirSync(join(copy, "plugins")).find((file) => file.endsWith(".yaml")) ?? "";
    const file = join(copy, "plugins", name);
    writeFileSync(file, readFileSync(file, "utf8").replace(/^ {2}version:/m, "  verison:"));
    await assert.rejects(run(mooring, ["validate", copy]), (err: Error & { code?: number; stdout?: string; stderr?: string }) => {
      assert.equal(err.code, 1);
      assert.match(`${err.stdout}${err.stderr}`, new RegExp(`plugins/${name}:\\d+:\\d+`));
      return true;
    });
  } finally {
    rmSync(copy, { recursive: true });
  }
});

test("compose.yaml keeps main and vault apart: two uids, one shared folder, no rights to gain", () => {
  type Service = { user: string; read_only: boolean; cap_drop: string[]; security_opt: string[]; volumes: string[] };
  const { services } = parse(textOf("compose.yaml"), { merge: true }) as { readonly services: Readonly<Record<"main" | "vault", Service>> };
  const { main, vault } = services;
  assert.notEqual(main.user, vault.user);
  for (const { user, read_only, cap_drop, security_opt } of [main, vault]) {
    assert.doesNotMatch(user, /^0?:|^root/);
    assert.deepEqual([read_only, cap_drop, security_opt], [true, ["ALL"], ["no-new-privileges:true"]]);
  }
  assert.deepEqual(
    main.volumes.filter((volume) => vault.volumes.includes(volume)),
    ["sockets:/run/mooring"],
  );
});
