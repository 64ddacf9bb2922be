/** Loaded before the program that is measured: says at its end how much memory and CPU it took. It loads nothing itself. */
process.on("exit", () => {
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  process.send?.({ maxRssKb: maxRSS, cpuMs: (userCPUTime + systemCPUTime) / 1000 });
  process.disconnect?.();
});
process.channel?.unref();
