const signals = ['SIGINT', 'SIGTERM'] as const;

/** One Ctrl+C can come as two signals: a shell sends it to the group, and npx or timeout pass theirs on. */
const sameRequestMs = 500;

/** Lets Ctrl+C and SIGTERM end the work instead of the process. A second request ends the process.
 * @returns gives the signals back */
export function onInterrupt(stop: () => void): () => void {
  let requestedMs = Number.NaN;
  const detach = () => {
    for (const signal of signals) process.off(signal, request);
  };
  const request = (signal: NodeJS.Signals) => {
    if (Number.isNaN(requestedMs)) {
      requestedMs = performance.now();
      stop();
      return;
    }
    if (performance.now() - requestedMs < sameRequestMs) return;
    detach();
    process.kill(process.pid, signal);
  };
  for (const signal of signals) process.on(signal, request);
  return detach;
}
