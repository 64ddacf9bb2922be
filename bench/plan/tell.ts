/** Loaded before the program that is measured: says at its end how much memory it took. It loads nothing itself. */
process.on("exit", () => {
  process.send?.({ maxRssKb: process.resourceUsage().maxRSS });
  process.disconnect?.();
});
process.channel?.unref();
