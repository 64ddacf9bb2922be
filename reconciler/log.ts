import pino from "pino";
import type { Log } from "#base/log/index.ts";

/** The hub's log: pino, constant messages, scalar fields. Its `err` serializer prints causes, whose text may hold a token, so error objects are
 *  replaced by nothing and `base/log` gives their code instead. */
export function hubLog(destination?: pino.DestinationStream): Log {
  const log = pino(
    { base: null, serializers: { err: () => undefined, error: () => undefined }, timestamp: pino.stdTimeFunctions.isoTime },
    destination ?? pino.destination({ fd: 2, sync: false }),
  );
  return {
    info: (fields, message) => log.info(fields, message),
    warn: (fields, message) => log.warn(fields, message),
    error: (fields, message) => log.error(fields, message),
  };
}
