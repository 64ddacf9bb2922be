import { goldenTree, type Tree } from "./fleet-tree.ts";

const BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

/** The golden fleet with `count` machines (m-00 …), plugins (p-00 …) and grants (p-00 …) in place of its own. Machine i has the labels `role: greeter`,
 *  `site: s<i % 2>` and `ring: canary | stable`; every plugin takes all machines. Keys are only of the right form. */
export function wideTree(count: number): Tree {
  const golden = goldenTree();
  const kept = Object.entries(golden).filter(([path]) => !/^(machines|plugins|grants)\//.test(path));
  const numbers = Array.from({ length: count }, (_, i) => i);
  return Object.fromEntries([
    ...kept,
    ...numbers.map((i) => [`machines/${wideName("m", i)}.yaml`, wideMachine(i)] as const),
    ...numbers.flatMap((i) => widePlugin(wideName("p", i))),
    ...numbers.map(
      (i) =>
        [
          `grants/${wideName("p", i)}.yaml`,
          golden["grants/greeter.yaml"]!.replaceAll(/(name|plugin): greeter/g, `$1: ${wideName("p", i)}`),
        ] as const,
    ),
  ]);
}

export function wideName(letter: "m" | "p", i: number): string {
  return `${letter}-${String(i).padStart(2, "0")}`;
}

/** Machine `i`; `name` to give its keys another name. */
export function wideMachine(i: number, name = wideName("m", i)): string {
  const letters = `${BECH32[i % 32]}${BECH32[(i >> 5) % 32]}`;
  const golden = goldenTree()["machines/mini-01.yaml"]!;
  return golden
    .replace("name: mini-01", `name: ${name}`)
    .replace("mini-01.example.net", `${name}.example.net`)
    .replace("site: fra }", `site: s${i % 2}, ring: ${i % 4 === 0 ? "canary" : "stable"} }`)
    .replace("fvx93elz0", `fvx93el${letters}`)
    .replace("hj8exIiw==", `hj8ex${String(i).padStart(3, "0")}==`)
    .replace("Sc4n0SZ5", `Sc4n0${String(i).padStart(3, "0")}`);
}

function widePlugin(name: string): readonly (readonly [string, string])[] {
  const golden = goldenTree();
  return [
    [`plugins/${name}.yaml`, golden["plugins/greeter.yaml"]!.replace("name: greeter", `name: ${name}`)],
    [`plugins/${name}.lock.json`, golden["plugins/greeter.lock.json"]!.replace('"name": "greeter"', `"name": "${name}"`)],
  ];
}
