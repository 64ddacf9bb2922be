/** Reviews of every shape, with text as hostile as anybody could get into one. */
import fc from "fast-check";
import type { Review } from "#cli/review/index.ts";
import { CATALOG, type ErrorCode } from "#base/errors/index.ts";
import type { FleetPlan, Group, SourceLine } from "#plan/index.ts";
import { type Finding, sortFindings } from "#reconciler/desired/index.ts";
import type { MachineId, Step } from "#schemas/wire/index.ts";

const HOSTILE = [
  "@everyone look",
  "#1 closes acme/fleet#2 GH-3",
  "![x](https://evil.example/x.png)",
  "[click](javascript:alert(1))",
  "<img src=x onerror=alert(1)>",
  "</details></details><script>alert(1)</script>",
  "<!-- mooring-plan:acme -->",
  "--> | a | b |",
  "``` \n~~~\n## title",
  "a`b``c```d````",
  "\n::error file=x::forged\r\n::set-output name=x::y",
  "%0A::error::x,y:z",
  "\u001b[31mred\u001b]0;title\u0007",
  "\u202eright to left\u2066",
  "📬🚢 𝕄 \ud800 half",
  "a\\|b \\` \\",
  "www.evil.example https://evil.example/?a=b&c",
  "*bold* __strong__ ~~gone~~ - item\n- item",
  "x".repeat(5000),
  "`".repeat(400),
  "🚢".repeat(200),
  "",
  " ",
  "&lt;b&gt; &#64;",
];

export const text = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...HOSTILE) },
  { weight: 2, arbitrary: fc.string({ maxLength: 40, unit: "binary" }) },
  { weight: 2, arbitrary: fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/) },
  { weight: 1, arbitrary: fc.tuple(fc.constantFrom(...HOSTILE), fc.string({ maxLength: 20 })).map(([a, b]) => `${b}${a}${b}`) },
);

const line: fc.Arbitrary<SourceLine> = fc.record({ file: text, line: fc.integer({ min: 1, max: 9999 }) });
const lines = fc.array(line, { maxLength: 6 });
const machine = text as fc.Arbitrary<MachineId>;
const codes = Object.keys(CATALOG) as readonly ErrorCode[];

const place = fc.record({
  line: fc.integer({ min: 1, max: 50 }),
  col: fc.integer({ min: 1, max: 200 }),
  endLine: fc.integer({ min: 1, max: 50 }),
  endCol: fc.integer({ min: 1, max: 200 }),
});

export const finding: fc.Arbitrary<Finding> = fc
  .tuple(
    place,
    fc.record(
      {
        code: fc.constantFrom(...codes),
        level: fc.constantFrom("error", "warning", "notice"),
        file: text,
        message: text,
        fix: fc.oneof(text, fc.constant("did you mean `version`?")),
        rule: text,
        subject: text,
        excerpt: fc.tuple(text, fc.nat(100)).map(([shown, at]) => `${shown.replaceAll("\n", " ")}\n${" ".repeat(at)}^`),
        also: fc.array(
          fc.tuple(place, text).map(([at, file]) => ({ ...at, file })),
          { maxLength: 2 },
        ),
      },
      { requiredKeys: ["code", "level", "file", "message", "fix"] },
    ),
  )
  .map(([at, rest]) => ({ ...at, ...rest }));

const step = fc.record({ key: text, verb: fc.constantFrom("add", "change", "remove", "repair"), disrupts: fc.boolean() });
const group: fc.Arbitrary<Group> = fc
  .record({
    change: fc.constantFrom("new", "gone", "changed"),
    machines: fc.array(machine, { minLength: 1, maxLength: 12 }),
    steps: fc.array(fc.tuple(step, fc.array(text, { maxLength: 4 }), lines), { minLength: 1, maxLength: 4 }),
  })
  .map(({ steps, ...rest }) => ({ ...rest, steps: steps.map(([own, details, because]) => ({ ...own, details, because })) }));

const plan: fc.Arbitrary<FleetPlan> = fc
  .record({ fleet: text, groups: fc.array(group, { maxLength: 8 }), hub: fc.array(text, { maxLength: 5 }) })
  .map(({ groups, ...rest }) => planOf(groups, rest));

/** A plan whose steps are those of its groups. */
export function planOf(groups: readonly Group[], rest: { readonly fleet: string; readonly hub: readonly string[] }): FleetPlan {
  const steps = groups.flatMap((item) => item.machines.map((name) => [name, item.steps as unknown as readonly Step[]] as const));
  return { ...rest, groups, steps: new Map(steps), widens: [], roles: ["release"] };
}

const role = fc.record({
  role: fc.constantFrom("root", "release", "access", "secrets"),
  because: lines,
  signed: fc.array(text, { maxLength: 3 }),
  missing: fc.option(fc.record({ need: fc.integer({ min: 1, max: 9 }), anyOf: fc.array(text, { maxLength: 20 }), touch: fc.boolean() })),
});

export const review: fc.Arbitrary<Review> = fc
  .record({
    v: fc.constant(1),
    fleet: text,
    base: fc.option(text),
    head: text,
    pr: fc.option(fc.integer({ min: 1, max: 1e6 })),
    plan,
    access: fc.array(
      fc.record({
        verb: fc.constantFrom("gains", "loses", "changes"),
        who: text,
        what: text,
        how: text,
        machines: fc.array(machine, { maxLength: 10 }),
        because: lines,
      }),
      { maxLength: 8 },
    ),
    blast: fc.array(fc.record({ plugin: text, partition: text, machines: fc.nat(99), of: fc.nat(99) }), { maxLength: 5 }),
    deletions: fc.array(fc.record({ kind: text, name: text, at: line, machines: fc.nat(99) }), { maxLength: 6 }),
    renames: fc.array(fc.record({ kind: text, from: text, to: text, at: line }), { maxLength: 3 }),
    findings: fc.array(finding, { maxLength: 40 }).map(sortFindings),
    policies: fc.record({
      from: fc.constantFrom("base", "head"),
      judgedByBase: fc.boolean(),
      evaluated: fc.nat(99),
      denied: fc.nat(3),
      approvals: fc.array(fc.record({ policy: text, owners: fc.array(text, { maxLength: 3 }), count: fc.nat(3) }), { maxLength: 3 }),
    }),
    roles: fc.uniqueArray(role, { selector: (item) => item.role, maxLength: 4 }),
    release: fc.record({
      at: fc.constantFrom("covered", "open", "none"),
      serial: fc.option(fc.nat(99)),
      inForce: fc.option(fc.nat(99)),
      verified: fc.boolean(),
    }),
    live: fc.option(
      fc.record({
        observedAt: text,
        inSync: fc.nat(99),
        drifted: fc.array(machine, { maxLength: 9 }),
        offline: fc.array(machine, { maxLength: 9 }),
      }),
    ),
  })
  .map((item) => item as Review);
