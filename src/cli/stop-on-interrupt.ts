/** Ctrl-C once: finish what is in flight. Twice: stop at once. Three times: die. SIGTERM does as Ctrl-C. */
export function stopOnInterrupt(onFirst: () => void): { stop: AbortSignal; kill: AbortSignal; dispose: () => void } {
  const stop = new AbortController();
  const kill = new AbortController();
  const listener = () => {
    // Something that does not listen holds the process up.
    if (kill.signal.aborted) process.exit(130);
    if (stop.signal.aborted) {
      kill.abort(new DOMException('stopped at once', 'AbortError'));
      return;
    }
    stop.abort();
    onFirst();
  };
  process.on('SIGINT', listener);
  process.on('SIGTERM', listener);
  return {
    stop: stop.signal,
    kill: kill.signal,
    dispose: () => {
      process.off('SIGINT', listener);
      process.off('SIGTERM', listener);
    },
  };
}
