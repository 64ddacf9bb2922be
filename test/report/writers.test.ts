import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { Ajv } from "ajv";
import fc from "fast-check";
import { printable } from "#base/text/index.ts";
import { isFormat, markerOf, MAX_COMMENT, MAX_SUMMARY, render, REPORT_FORMATS, type ReportFormat } from "#cli/report/index.ts";
import { data, property } from "#cli/report/github.ts";
import { fit } from "#cli/report/fit.ts";
import { code, fence, prose } from "#cli/report/markdown-text.ts";
import { wantsColor } from "#cli/report/paint.ts";
import { byteColumn } from "#cli/report/rdjson.ts";
import type { MachineId } from "#schemas/wire/index.ts";
import { type Review, reviewText } from "#cli/review/index.ts";
import { planText } from "#plan/index.ts";
import { planOf, review, text } from "./arbitrary.ts";
import { exampleReview } from "./examples.ts";

const RUNS = { numRuns: 60 };
const {
  $schema: _draft,
  id: _id,
  ...sarifSchema
} = JSON.parse(
  readFileSync(join(import.meta.dirname, "../../node_modules/@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json"), "utf8"),
) as Record<string, unknown>;
const isSarif = new Ajv({ strict: false, validateFormats: false, unicodeRegExp: false }).compile(sarifSchema);

test("every form of every review is text that ends with a line break, and equal reviews give equal bytes", () => {
  fc.assert(
    fc.property(review, fc.constantFrom(...REPORT_FORMATS), (item, format) => {
      const shown = render(item, format);
      assert.equal(shown, render(structuredClone(item), format));
      assert.ok(shown === "" ? format === "github" : shown.endsWith("\n"));
      assert.ok(shown.isWellFormed());
    }),
    RUNS,
  );
  assert.ok(isFormat("sarif") && !isFormat("xml"));
});

test("a comment never grows beyond what a forge takes, nor a summary, and begins with its marker", () => {
  fc.assert(
    fc.property(review, (item) => {
      const comment = render(item, "markdown");
      assert.ok(comment.length <= MAX_COMMENT, String(comment.length));
      assert.ok(comment.startsWith(`${markerOf(item.fleet)}\n`));
      const summary = render(item, "markdown", { limit: { max: MAX_SUMMARY, in: "bytes" } });
      assert.ok(Buffer.byteLength(summary) <= MAX_SUMMARY);
    }),
    RUNS,
  );
});

/** Ten thousand machines of which each does something else, and findings for all of them. */
async function huge(): Promise<Review> {
  const { review: one } = await exampleReview("machines-deleted");
  const numbers = Array.from({ length: 10_000 }, (_, i) => i);
  const name = (i: number): MachineId => `machine-${i}-${"x".repeat(40)}` as MachineId;
  const because = [{ file: "plugins/mail.yaml", line: 14 }];
  const groups = numbers.map((i) => ({
    machines: [name(i)],
    change: "changed" as const,
    steps: [{ key: `plugin/p-${i}`, verb: "change" as const, disrupts: true, details: ["version: 1 → 2"], because }],
  }));
  return {
    ...one,
    plan: planOf(groups, { fleet: "acme", hub: numbers.map((i) => `machines/m-${i}.addresses: + 192.0.2.7`) }),
    deletions: numbers.slice(0, 40).map((i) => ({ kind: "Machine", name: name(i), at: because[0]!, machines: 1 })),
    access: numbers.slice(0, 200).map((i) => ({
      verb: i < 40 ? ("gains" as const) : ("loses" as const),
      who: `plugin p-${i}`,
      what: "secret://team/db",
      how: "by fd, without end",
      machines: numbers.slice(0, 500).map(name),
      because,
    })),
    findings: numbers.map((i) => ({ ...one.findings[0]!, line: i + 1, message: `number ${i}` })),
  };
}

test("of a fleet of 10,000 machines steps and findings are cut, and say so; deletions, gains and the signatures are all there", async () => {
  const item = await huge();
  const comment = render(item, "markdown");
  assert.ok(comment.length <= MAX_COMMENT && comment.length > MAX_COMMENT / 2);
  assert.equal([...comment.matchAll(/^- \S+ Machine `machine-/gm)].length, 40);
  assert.equal([...comment.matchAll(/\*\*gains\*\*/g)].length, 40);
  for (const { role } of item.roles) assert.match(comment, new RegExp(`^\\| ${role} \\|`, "m"));
  assert.match(comment, /… and 10000 more groups of machines: `mooring plan` shows them/);
  assert.match(comment, /… and \d+ more: `mooring plan` shows them/);
  const summary = render(item, "markdown", { limit: { max: MAX_SUMMARY, in: "bytes" } });
  assert.ok(Buffer.byteLength(summary) <= MAX_SUMMARY && summary.length > comment.length);
  const commands = render(item, "github").trimEnd().split("\n");
  assert.deepEqual([commands.length, commands.at(-1)], [21, "10060 more annotations in the step summary"]);
  const many = { ...item, findings: Array.from({ length: 25_001 }, () => item.findings[0]!) };
  assert.equal((JSON.parse(render(many, "sarif")) as SarifLog).runs[0]!.results.length, 25_000);
  for (const format of ["sarif", "gitlab", "rdjson", "json", "table"] as const) assert.ok(render(item, format).length > 0);
});

test("room goes to the low ranks first, and no part vanishes without a word", () => {
  const part = (rank: number, n: number): Parameters<typeof fit>[0][number] => ({
    open: `<${rank}>`,
    items: Array.from({ length: n }, () => "..........\n"),
    close: "</>",
    rank,
    more: (left) => `+${left}`,
  });
  assert.equal(
    fit([part(9, 5), part(1, 2)], 60, (shown) => shown.length),
    `<9>${"..........\n".repeat(2)}+3</><1>${"..........\n".repeat(2)}</>`,
  );
  assert.equal(
    fit([part(1, 0)], 10, (shown) => shown.length),
    "",
  );
});

// What markdown leaves when its code is taken out: fences, spans and <code>. Nothing of others may be in it but plain words.
function withoutCode(page: string): string {
  return page
    .replaceAll(/^(`{3,})[a-z]*\n[\s\S]*?\n\1$/gm, "")
    .replaceAll(/(?<!`)`[^`\n]+`(?!`)/g, "")
    .replaceAll(/<code>[^<>]*<\/code>/g, "");
}

test("nothing that others wrote becomes markdown, HTML, a mention, a reference or an address", () => {
  const own = /<!-- mooring-plan:[\w.-]* -->|<\/?(?:details|summary|b|sub)>|<details open>|<br>/g;
  const links = { base: "https://forge.example/b/", head: "https://forge.example/h/" };
  fc.assert(
    fc.property(review, (item) => {
      for (const options of [{}, { links }]) {
        const page = render(item, "markdown", options);
        assert.equal(page.indexOf(markerOf(item.fleet)), 0);
        const left = withoutCode(page)
          .replaceAll(/(?<=\[\])\(https:\/\/forge\.example\/[bh]\/[\w.%/~-]*#L\d+\)/g, "")
          .replaceAll(own, "");
        assert.doesNotMatch(left, /[<>@`]|#\d|www\.|https?:|!\[|javascript:|\]\(/i, left);
        const bare = withoutCode(page);
        assert.equal([...bare.matchAll(/<details/g)].length, [...bare.matchAll(/<\/details>/g)].length);
      }
    }),
    { numRuns: 100 },
  );
});

test("a code span shows what it was given, in a table, too", () => {
  fc.assert(
    fc.property(text, (given) => {
      const span = code(given, 10_000);
      const shown = span.startsWith("<code>")
        ? span.slice(6, -7).replaceAll(/&#(\d+);/g, (_, n: string) => String.fromCodePoint(Number(n)))
        : span.replace(/^`|`$/g, "");
      const wanted = printable(given).trim();
      assert.equal(shown, wanted === "" ? "–" : wanted);
      if (!span.startsWith("<code>")) assert.doesNotMatch(shown, /[`|\\]/);
      else assert.match(span.slice(6, -7), /^[\p{L}\p{N} &#;]*$/u);
    }),
    { numRuns: 500 },
  );
  assert.equal(prose("by fd, until 2028-01-01"), "by fd, until 2028-01-01");
  for (const bad of ["@ann", "a#1", "x_y_z", "https://a", "www.a", "a <b>", "GH-12", "- item", "deadbeef1"]) assert.match(prose(bad), /^`/);
});

test("a fence is longer than any in what it holds, and one line stays one", () => {
  fc.assert(
    fc.property(fc.array(text, { maxLength: 5 }), (lines) => {
      const rows = fence(lines).split("\n");
      assert.equal(rows.length, Math.max(1, lines.length) + 2);
      const mark = rows[0]!;
      assert.match(mark, /^`{3,}$/);
      for (const row of rows.slice(1, -1)) assert.ok(!row.trimStart().startsWith(mark));
    }),
    RUNS,
  );
});

test("an annotation is one command, its text comes back, and only ten of a level are given", () => {
  const back = (escaped: string): string =>
    escaped.replaceAll("%2C", ",").replaceAll("%3A", ":").replaceAll("%0D", "\r").replaceAll("%0A", "\n").replaceAll("%25", "%");
  fc.assert(
    fc.property(text, (given) => {
      for (const escape of [data, property]) {
        assert.equal(back(escape(given)), given);
        assert.doesNotMatch(escape(given), /[\r\n]/);
      }
      assert.doesNotMatch(property(given), /[:,]/);
    }),
  );
  fc.assert(
    fc.property(review, (item) => {
      const rows = render(item, "github").split("\n").slice(0, -1);
      const commands = rows.filter((row) => row.startsWith("::"));
      assert.ok(commands.length >= rows.length - 1);
      for (const row of commands) assert.match(row, /^::(?:error|warning|notice) file=[^:,]*,line=\d+(?:,\w+=[^:,]*)*::/);
      for (const level of ["error", "warning", "notice"]) assert.ok(rows.filter((row) => row.startsWith(`::${level} `)).length <= 10);
    }),
    RUNS,
  );
});

test("what goes is linked where it was, a new name where it is", async () => {
  const links = { base: "https://forge/acme/fleet/blob/old/", head: "https://forge/acme/fleet/blob/new/" };
  const { review: renamed } = await exampleReview("plugin-renamed");
  const { review: deleted } = await exampleReview("machines-deleted");
  const page = render(renamed, "markdown", { links });
  for (const { at } of renamed.renames) assert.ok(page.includes(`(${links.head}${at.file}#L${at.line})`), at.file);
  for (const { at } of deleted.deletions)
    assert.ok(render(deleted, "markdown", { links }).includes(`(${links.base}${at.file}#L${at.line})`));
  assert.ok(renamed.renames.length > 0 && deleted.deletions.length > 0);
});

test("many deletions leave room for whose access grows", async () => {
  const { review: item } = await exampleReview("machines-deleted");
  const [gone] = item.deletions;
  const gain = {
    verb: "gains",
    who: "plugin mail",
    what: "secret://team/db",
    how: "",
    machines: [],
    because: [{ file: "g.yaml", line: 1, col: 1 }],
  } as const;
  const shown = render({ ...item, findings: [], deletions: Array.from({ length: 30 }, () => gone!), access: [gain] }, "github").split("\n");
  assert.equal(shown.filter((line) => line.startsWith("::notice")).length, 10);
  assert.ok(shown.some((line) => line.includes("plugin mail gains secret://team/db")));
});

test("SARIF holds to its schema, with relative addresses and fingerprints that no line moves", () => {
  fc.assert(
    fc.property(review, fc.nat(40), (item, shift) => {
      const log = JSON.parse(render(item, "sarif")) as SarifLog;
      assert.ok(isSarif(log), JSON.stringify(isSarif.errors?.[0]));
      const { results, columnKind, tool } = log.runs[0]!;
      assert.deepEqual([columnKind, results.length], ["utf16CodeUnits", item.findings.length]);
      for (const { ruleId, ruleIndex, locations } of results) {
        assert.equal(tool.driver.rules[ruleIndex]?.id, ruleId);
        assert.doesNotMatch(locations[0]!.physicalLocation.artifactLocation.uri, /[^\w.~!*'()%/-]|^\/\//);
      }
      const prints = results.map(({ partialFingerprints }) => partialFingerprints["mooring/v1"]);
      assert.equal(new Set(prints).size, prints.length);
      const moved = { ...item, findings: item.findings.map((one) => ({ ...one, line: one.line + shift, endLine: one.endLine + shift })) };
      const later = (JSON.parse(render(moved, "sarif")) as SarifLog).runs[0]!.results;
      assert.deepEqual(
        later.map(({ partialFingerprints }) => partialFingerprints["mooring/v1"]),
        prints,
      );
    }),
    RUNS,
  );
});

type SarifLog = {
  readonly runs: readonly {
    readonly columnKind: string;
    readonly tool: { readonly driver: { readonly rules: readonly { readonly id: string }[] } };
    readonly results: readonly {
      readonly ruleId: string;
      readonly ruleIndex: number;
      readonly partialFingerprints: { readonly "mooring/v1": string };
      readonly locations: readonly { readonly physicalLocation: { readonly artifactLocation: { readonly uri: string } } }[];
    }[];
  }[];
};

test("columns in bytes are those of the text's UTF-8, whatever stands before", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", maxLength: 20 }), fc.string({ unit: "grapheme", maxLength: 20 }), (before, after) => {
      const col = byteColumn(before + after, before.length + 1);
      assert.equal(
        Buffer.from(before + after)
          .subarray(0, col - 1)
          .toString(),
        before,
      );
    }),
  );
  assert.equal(byteColumn("📬x", 2), 1); // half a character
});

test("a misspelt value after letters of several bytes: right columns in both counts, and the word to write instead", async () => {
  const { review: item, form } = await exampleReview("misspelt");
  const { diagnostics } = JSON.parse(render(item, "rdjson", form)) as { readonly diagnostics: readonly Diagnostic[] };
  const found = diagnostics.find(({ code: { value } }) => value === "FLEET_FIELD_INVALID")!;
  const finding = item.findings.find(({ code: value }) => value === "FLEET_FIELD_INVALID")!;
  assert.deepEqual(found.suggestions, [{ range: found.location.range, text: "fd" }]);
  const line = form.lineOf!(finding.file, finding.line)!;
  assert.equal(line.slice(finding.col - 1, finding.endCol - 1), "df");
  const { start, end } = found.location.range;
  assert.equal(
    Buffer.from(line)
      .subarray(start.column - 1, end.column - 1)
      .toString(),
    "df",
  );
  assert.notEqual(start.column, finding.col);
  const blind = JSON.parse(render(item, "rdjson")) as { readonly diagnostics: readonly Diagnostic[] };
  assert.deepEqual(blind.diagnostics[0]!.location.range, { start: { line: 9 } }); // no text, no columns
});

type Diagnostic = {
  readonly code: { readonly value: string };
  readonly location: { readonly range: { readonly start: { readonly column: number }; readonly end: { readonly column: number } } };
  readonly suggestions?: unknown;
};

test("GitLab keeps every finding: no two fingerprints are equal, no path begins with ./", () => {
  fc.assert(
    fc.property(review, (item) => {
      const items = JSON.parse(render(item, "gitlab")) as readonly {
        readonly fingerprint: string;
        readonly location: { readonly path: string };
      }[];
      assert.equal(new Set(items.map(({ fingerprint }) => fingerprint)).size, item.findings.length);
      assert.ok(items.every(({ location }) => !location.path.startsWith("./")));
    }),
    RUNS,
  );
});

test("a table keeps to its width but for words that are longer, cuts no name, and lets no command through to the terminal", async () => {
  for (const width of [60, 80, 120]) {
    for (const name of ["plugin-renamed", "machines-deleted", "new-signer", "misspelt"]) {
      const { review: item } = await exampleReview(name);
      const plain = render(item, "table", { width });
      for (const line of plain.split("\n")) assert.ok(line.length <= width || !line.trim().includes(" "), `${width}: ${line}`);
      const words = (shown: string): string => shown.replaceAll(/\s+/g, " ");
      for (const { at, name: gone } of item.deletions) assert.ok(words(plain).includes(`${gone}, by ${at.file}:${at.line}`));
      assert.equal(stripVTControlCharacters(render(item, "table", { width, color: true })), plain);
    }
  }
  fc.assert(
    fc.property(review, fc.constantFrom(60, 80, 120, null), (item, width) => {
      assert.doesNotMatch(render(item, "table", { width }), /[^\P{Cc}\n]|\p{Cf}/u);
    }),
    RUNS,
  );
});

test("what signers read holds no command, no turned text and no line that somebody else wrote", () => {
  fc.assert(
    fc.property(review, (item) => {
      for (const shown of [reviewText(item), planText(item.plan)]) assert.doesNotMatch(shown, /[^\P{Cc}\n]|\p{Cf}/u);
      const lines = (plan: Review["plan"]): number => planText(plan).split("\n").length;
      const quiet = item.plan.groups.map((group) => ({
        ...group,
        steps: group.steps.map((step) => ({ ...step, details: step.details.map(() => "x") })),
      }));
      assert.equal(lines(item.plan), lines({ ...item.plan, groups: quiet }));
    }),
    RUNS,
  );
});

test("colour is for people at a terminal, unless they said otherwise", () => {
  assert.deepEqual(
    [
      wantsColor(undefined, true, {}),
      wantsColor(undefined, false, {}),
      wantsColor(undefined, true, { NO_COLOR: "1" }),
      wantsColor(true, false, { NO_COLOR: "1" }),
      wantsColor(false, true, {}),
      wantsColor(undefined, true, { TERM: "dumb" }),
    ],
    [true, false, false, true, false, false],
  );
});

test("JSON is the review, with statuses, what to do next and the exit code", async () => {
  const { review: item } = await exampleReview("label-widens");
  const read = JSON.parse(render(item, "json")) as Record<string, unknown> & { readonly plan: Record<string, unknown> };
  assert.deepEqual(
    [read["v"], read["fleet"], read["pr"], read["exitCode"], read.plan["v"], read["next"]],
    [1, "acme", 42, 2, 1, ["Sign: mooring approve 42", "Merging first is safe: machines stay on release 8"]],
  );
  assert.deepEqual(Object.keys(read).toSorted(), [...Object.keys(item), "exitCode", "next", "statuses"].toSorted());
});

test("every form of the examples says the same number of findings", async () => {
  const { review: item, form } = await exampleReview("misspelt");
  const counts = (["sarif", "rdjson", "gitlab"] as const satisfies readonly ReportFormat[]).map(
    (format) => [...render(item, format, form).matchAll(/PLUGIN_WANT_UNGRANTED|FLEET_FIELD_\w+/g)].length > 0,
  );
  assert.deepEqual(counts, [true, true, true]);
});
