import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Metafile } from "esbuild";
import { VERSION } from "#lobster/version.ts";
import { buildOutputs, HUB_ERRORS, type OutputName } from "../../scripts/build.ts";

const FORBIDDEN = [
  "zod/v4/classic",
  "/pino/",
  "/yaml/",
  "/ssh2/",
  "/isomorphic-git/",
  "/chokidar/",
  "/commander/",
  "/listr2/",
  "sodium-native",
  "/age-encryption/",
];
const dist = mkdtempSync(join(tmpdir(), "bud-"));
let metas: ReadonlyMap<OutputName, Metafile>;

before(async () => {
  metas = await buildOutputs(dist);
});
after(() => rmSync(dist, { recursive: true }));

function inputsOf(name: OutputName): readonly string[] {
  const outputs = Object.values(metas.get(name)?.outputs ?? {});
  assert.ok(outputs.length > 0, `${name} was built`);
  return outputs.flatMap((output) => Object.keys(output.inputs));
}

function packagesOf(inputs: readonly string[]): readonly string[] {
  const names = inputs.flatMap((path) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? []);
  return [...new Set(names)].toSorted();
}

test("the agent holds the packages of the golden list and no others, each with a reason", () => {
  const lines = readFileSync(join(import.meta.dirname, "agent-packages.txt"), "utf8").split("\n");
  const listed = lines.filter((line) => line !== "" && !line.startsWith("#"));
  for (const line of listed) assert.match(line, /^\S+\s{2,}\S.+/, "a package comes with its reason");
  assert.deepEqual(new Set(packagesOf(inputsOf("openclaw-lobster.mjs"))), new Set(listed.map((line) => line.split(/\s/)[0])));
});

test("nothing heavy and nothing that touches cleartext is in the agent", () => {
  for (const path of inputsOf("openclaw-lobster.mjs")) {
    assert.ok(!FORBIDDEN.some((part) => `/${path}`.includes(part)), path);
    assert.ok(!/^(reconciler|cli|egress)\/|^enclave-bridge\/(?!client\/)/.test(path), path);
  }
});

test("the agent's bundle is within its budget, and the budget within DESIGN's ceiling", () => {
  const budget = JSON.parse(readFileSync(join(import.meta.dirname, "budget.json"), "utf8")) as {
    readonly agentBundleKB: number;
    readonly agentPackages: number;
  };
  assert.ok(budget.agentBundleKB <= 400 && budget.agentPackages <= 14);
  const size = statSync(join(dist, "openclaw-lobster.mjs")).size / 1024;
  assert.ok(size <= budget.agentBundleKB, `${size.toFixed(1)} KB`);
  assert.ok(packagesOf(inputsOf("openclaw-lobster.mjs")).length <= budget.agentPackages);
});

test("what the build leaves out of the sigstore packages is named by none of them", () => {
  const root = join(import.meta.dirname, "../../node_modules/@sigstore");
  const used = ["bundle", "core", "verify"].flatMap((name) => {
    const files = readdirSync(join(root, name, "dist"), { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".js"));
    return files.flatMap((file) => [...readFileSync(join(root, name, "dist", file), "utf8").matchAll(/protobuf_specs_1\.(\w+)/g)]);
  });
  const names = [...new Set(used.map((match) => match[1] ?? ""))].toSorted();
  assert.deepEqual(
    names,
    ["Bundle", "Envelope", "HashAlgorithm", "PublicKeyDetails"],
    "none of sigstore_trustroot or sigstore_verification",
  );
  assert.ok(inputsOf("openclaw-lobster.mjs").some((path) => path.endsWith("sigstore_bundle.js")));
});

test("no error code that the build leaves out is named in anything a machine runs", () => {
  const root = join(import.meta.dirname, "../..");
  const codes = HUB_ERRORS.flatMap((part) => {
    const text = readFileSync(join(root, `base/errors/catalog/${part}.ts`), "utf8");
    return [...text.matchAll(/^ {2}([A-Z0-9_]+): /gm)].map((match) => match[1] ?? "");
  });
  assert.ok(codes.includes("SSH_UNREACHABLE") && codes.includes("FLEET_INVALID"));
  for (const name of metas.keys())
    for (const path of inputsOf(name).filter((input) => !/node_modules|errors\/catalog/.test(input))) {
      const text = readFileSync(join(root, path), "utf8");
      for (const code of codes) assert.ok(!text.includes(`"${code}"`), `${name}: ${path} names ${code}`);
    }
});

test("the same inputs give the same bytes, without a path of this machine", async () => {
  const again = mkdtempSync(join(tmpdir(), "bud-"));
  try {
    const names = [...(await buildOutputs(again)).keys()];
    for (const name of names) {
      const [one, two] = [dist, again].map((folder) => readFileSync(join(folder, name)));
      assert.equal(hashOf(one), hashOf(two), name);
      assert.ok(!two?.includes(join(import.meta.dirname, "../..")), name);
    }
  } finally {
    rmSync(again, { recursive: true });
  }
});

test("the agent says the product's version", () => {
  const { version } = JSON.parse(readFileSync(join(import.meta.dirname, "../../package.json"), "utf8")) as { readonly version: string };
  assert.equal(VERSION, version);
});

function hashOf(bytes: Uint8Array | undefined): string {
  return createHash("sha256")
    .update(bytes ?? "")
    .digest("hex");
}
