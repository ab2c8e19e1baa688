/** Lets all else through, the page and what comes live, when this work has lasted `turnMs` without a pause. */
export function createPauses(turnMs: number): () => Promise<void> {
  let startMs = performance.now();
  return async () => {
    if (performance.now() - startMs < turnMs) return;
    await new Promise(setImmediate);
    startMs = performance.now();
  };
}
