import { readIfThere } from "#base/durable/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { type Pins, pins as schema } from "#schemas/wire/index.ts";

/** The pins in `path`, or null when there is no such file. Throws PINS_REFUSED when it is not a pins file or its driver is not allowed. */
export async function readPins(path: string): Promise<Pins | null> {
  const bytes = await readIfThere(path);
  if (bytes === null) return null;
  const found = schema.safeParse(parsed(bytes, path));
  if (!found.success)
    throw new MooringError("PINS_REFUSED", `${path}: not a pins file`, {
      why: `wrong at ${found.error.issues[0]?.path.join(".") || "the top"}`,
    });
  if (found.data.driver === "software" && !found.data.allowSoftwareKeys) {
    throw new MooringError("PINS_REFUSED", `${path}: driver software`, {
      why: "keys that are only files need allowSoftwareKeys: true in fleet.yaml",
    });
  }
  return found.data;
}

/** Throws PINS_REFUSED unless `next` names the same machine as `had`; its keys and log belong to one fleet, name and incarnation for good. */
export function checkSameMachine(had: Pins, next: Pins): void {
  for (const name of ["fleet", "machine", "incarnation"] as const) {
    if (had[name] !== next[name]) {
      throw new MooringError("PINS_REFUSED", `${name}: ${next[name]}, and this root is of ${had[name]}`, {
        fix: "a new incarnation starts with an empty root folder",
      });
    }
  }
}

function parsed(bytes: Uint8Array, path: string): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch (cause) {
    throw new MooringError("PINS_REFUSED", `${path}: not JSON`, { cause });
  }
}
