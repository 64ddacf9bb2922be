import { Duplex } from "node:stream";
import type { ClientChannel } from "ssh2";

/** `channel` with a `destroy` that holds what Duplex promises. ssh2's own sends an end of input and then waits for the peer's close: with a peer
 *  that hangs nobody hears `close`, and `destroyed` stays false (1.17.0, lib/Channel.js). Its stderr is read and dropped: unread it fills the window. */
export function destroyable(channel: ClientChannel): Duplex {
  let isClosed = false;
  channel.once("close", () => {
    isClosed = true;
  });
  channel.stderr.resume();
  const destroy = (err?: Error): ClientChannel => {
    if (channel.destroyed) return channel;
    channel.close();
    Duplex.prototype.destroy.call(channel, err);
    if (!isClosed) process.nextTick(() => closeOnce(channel));
    return channel;
  };
  return Object.assign(channel, { destroy, destroySoon: destroy });
}

/** ssh2 says `close` again when the peer's answer comes; node:http counts on hearing it once. */
function closeOnce(channel: ClientChannel): void {
  channel.emit("close");
  channel.removeAllListeners("close");
}
