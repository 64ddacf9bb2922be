/** A plugin that does not keep to the protocol; argv[2] says how. Uses raw bytes only. */
import { Socket } from "node:net";

const how = process.argv[2] ?? "";
const socket = new Socket({ fd: 3 });
socket.on("error", () => undefined);
socket.on("close", () => {
  console.log("closed");
  process.exit(0);
});

function frame(type: number, ...rest: number[]): Buffer {
  const body = Buffer.from([type, ...rest]);
  const head = Buffer.alloc(4);
  head.writeUInt32BE(body.length);
  return Buffer.concat([head, body]);
}
const get = (id: number, ref: string): Buffer => frame(2, 0, 0, id >> 8, id & 255, ...Buffer.from(ref));

socket.once("data", () => {
  switch (how) {
    case "oversized":
      socket.write(Buffer.from([0xff, 0xff, 0xff, 0xff, 2]));
      break;
    case "empty":
      socket.write(Buffer.from([0, 0, 0, 0]));
      break;
    case "forged-value":
      socket.write(frame(3, 0, 0, 0, 1, 65));
      break;
    case "not-utf8":
      socket.write(frame(2, 0, 0, 0, 1, 0xff, 0xfe));
      break;
    case "flood": {
      const many = Buffer.concat(Array.from({ length: 3_000 }, (_, i) => get(i, "secret://team/not-mine")));
      socket.write(many);
      let frames = 0;
      socket.on("data", (chunk) => {
        frames += String(chunk).split("SECRET_NOT_GRANTED").length - 1;
        if (frames >= 100) {
          console.log("answered");
          socket.destroy();
        }
      });
      break;
    }
    case "deaf": // asks for more than the system buffers and never reads the answers
      socket.pause();
      for (let id = 1; id <= 8; id++) socket.write(get(id, "secret://team/imap"));
      console.log("asked");
      setInterval(() => undefined, 1_000);
      break;
    default:
      process.exit(9);
  }
});
