/** Ancestry of made-up histories, on whole copies and on such that hold only the newest commits, against a search through everything. */
import assert from "node:assert/strict";
import fs from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { writeObject } from "isomorphic-git";
import { commitRange, isAncestor, mergeBases } from "#reconciler/source/ancestry.ts";
import { hashObject, Objects } from "#reconciler/source/objects.ts";

let folder = "";
let count = 0;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "an-"));
});
after(() => rm(folder, { recursive: true, force: true }));

/** Commits, oldest first; each stands on up to two of those before it, given by how many places back. */
const someHistory = fc.array(fc.array(fc.nat(6), { maxLength: 2 }), { minLength: 3, maxLength: 26 });

class History {
  readonly bytes: Buffer[] = [];
  readonly oids: string[] = [];
  readonly #above: Set<string>[] = []; // each with all it reaches

  constructor(backs: readonly (readonly number[])[]) {
    for (const [i, back] of backs.entries()) {
      const parents = [...new Set(back.map((n) => i - 1 - n).filter((n) => n >= 0))];
      const who = `Ann <ann@example.net> ${1_790_000_000 + i} +0000`;
      const lines = parents.map((n) => `parent ${this.oids[n]}\n`).join("");
      const bytes = Buffer.from(`tree ${"4".repeat(40)}\n${lines}author ${who}\ncommitter ${who}\n\ncommit ${i}\n`);
      this.bytes.push(bytes);
      this.oids.push(hashObject("commit", bytes));
      this.#above.push(new Set([this.oids[i] ?? "", ...parents.flatMap((n) => [...(this.#above[n] ?? [])])]));
    }
  }

  reach(n: number): ReadonlySet<string> {
    return this.#above[n] ?? new Set();
  }

  of(oid: string): ReadonlySet<string> {
    return this.reach(this.oids.indexOf(oid));
  }

  /** A copy that holds the newest `held` commits, and gets three more each time somebody asks. */
  async copy(held: number): Promise<{ readonly objects: Objects; readonly asked: () => number }> {
    const gitdir = join(folder, `h${++count}`);
    await mkdir(join(gitdir, "objects"), { recursive: true });
    let next = this.oids.length - 1;
    const bring = async (some: number): Promise<boolean> => {
      const isMore = next >= 0;
      for (let n = 0; n < some && next >= 0; n++)
        await writeObject({ fs, gitdir, type: "commit", format: "content", object: this.bytes[next--] ?? Buffer.alloc(0) });
      return isMore;
    };
    await bring(held);
    let asked = 0;
    const more = (): Promise<boolean> => {
      asked += 1;
      return bring(3);
    };
    return { objects: new Objects(gitdir, { more }), asked: () => asked };
  }
}

test("what is an ancestor, what is new, and where two lines met is found on any copy", async () => {
  const whole = 1_000;
  await fc.assert(
    fc.asyncProperty(someHistory, fc.nat(), fc.nat(), fc.nat(8), async (backs, x, y, held) => {
      const made = new History(backs);
      const [a, b] = [x % backs.length, y % backs.length];
      const [oidA = "", oidB = ""] = [made.oids[a], made.oids[b]];
      const common = [...made.reach(a)].filter((oid) => made.reach(b).has(oid));
      const best = common.filter((oid) => !common.some((other) => other !== oid && made.of(other).has(oid)));
      const news = [...made.reach(b)].filter((oid) => !made.reach(a).has(oid));
      for (const size of [whole, 1 + held]) {
        const fresh = async (): Promise<Objects> => (await made.copy(size)).objects;
        assert.equal(await isAncestor(await fresh(), oidA, oidB), made.reach(b).has(oidA));
        assert.deepEqual([...(await mergeBases(await fresh(), oidA, oidB))].toSorted(), best.toSorted());
        assert.deepEqual([...(await commitRange(await fresh(), oidA, oidB))].toSorted(), news.toSorted());
      }
    }),
    { numRuns: 30 },
  );
});

test("a line of commits is judged without asking for what is behind it", async () => {
  const made = new History(Array.from({ length: 60 }, () => [0]));
  const { objects, asked } = await made.copy(10);
  const [base = "", head = ""] = [made.oids[53], made.oids[59]];
  assert.equal(await isAncestor(objects, base, head), true);
  assert.equal((await commitRange(objects, base, head)).length, 6);
  assert.deepEqual(await mergeBases(objects, base, head), [base]);
  assert.equal(asked(), 0);
  assert.equal(await isAncestor(objects, made.oids[45] ?? "", head), true);
  assert.equal(asked(), 2);
});
