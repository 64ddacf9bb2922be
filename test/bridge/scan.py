"""Counts copies of secrets in a process. argv: pid, then each secret XOR mask and its mask (hex). They are only ever whole in this process."""
import re, sys

pid, args = sys.argv[1], [bytes.fromhex(arg) for arg in sys.argv[2:]]
secrets = [bytes(a ^ b for a, b in zip(masked, mask)) for masked, mask in zip(args[::2], args[1::2])]
wanted = secrets + [secret.decode("latin1").encode("utf-16-le") for secret in secrets]
longest = max(map(len, wanted))
found = set()
with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as mem:
    for line in maps:
        match = re.match(r"([0-9a-f]+)-([0-9a-f]+) r", line)
        if not match or "[vvar" in line or "[vsyscall" in line:
            continue
        at, end, tail = int(match[1], 16), int(match[2], 16), b""
        while at < end:
            size = min(1 << 24, end - at)
            try:
                mem.seek(at)
                chunk = tail + mem.read(size)
            except OSError:
                break
            for want in wanted:
                hit = chunk.find(want)
                while hit >= 0:
                    found.add(at - len(tail) + hit)
                    hit = chunk.find(want, hit + 1)
            tail = chunk[-(longest - 1):]
            at += size
print(len(found))
