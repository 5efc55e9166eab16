import type { CommandContext } from './command-context.js';

/** Listens for interrupts: the first Ctrl-C or SIGTERM stops, the second aborts, the third ends the process. */
export function stopOnInterrupt(
  { signals, exit }: CommandContext,
  onFirst: () => void,
): { stop: AbortSignal; kill: AbortSignal; dispose: () => void } {
  const stop = new AbortController();
  const kill = new AbortController();
  const listener = () => {
    // Something that ignores the abort signal holds the process up.
    if (kill.signal.aborted) return exit(130);
    if (stop.signal.aborted) {
      kill.abort(new DOMException('stopped at once', 'AbortError'));
      return;
    }
    stop.abort();
    onFirst();
  };
  signals.on('SIGINT', listener);
  signals.on('SIGTERM', listener);
  return {
    stop: stop.signal,
    kill: kill.signal,
    dispose: () => {
      signals.off('SIGINT', listener);
      signals.off('SIGTERM', listener);
    },
  };
}
