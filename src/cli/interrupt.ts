const signals = ['SIGINT', 'SIGTERM'] as const;

/** Lets Ctrl+C and SIGTERM end the work instead of the process. A second signal ends the process.
 * @returns gives the signals back */
export function onInterrupt(stop: () => void): () => void {
  const detach = () => {
    for (const signal of signals) process.off(signal, once);
  };
  const once = () => {
    detach();
    stop();
  };
  for (const signal of signals) process.on(signal, once);
  return detach;
}
