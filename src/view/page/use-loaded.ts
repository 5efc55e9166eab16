import { useEffect, useState } from 'preact/hooks';
import type { RequestError } from './api.js';

/** Something that is loaded from the server. */
export interface Loaded<T> {
  /** The last reply; also shown while the next one is on its way. */
  readonly value: T | null;
  readonly error: RequestError | null;
  readonly isLoading: boolean;
}

/**
 * Loads when the key changes; a request that another one replaces is aborted.
 *
 * @param key what is loaded; null loads nothing
 */
export function useLoaded<T>(key: string | null, load: (signal: AbortSignal) => Promise<T>): Loaded<T> {
  const [state, setState] = useState<Loaded<T>>({ value: null, error: null, isLoading: key !== null });
  useEffect(() => {
    if (key === null) return;
    const controller = new AbortController();
    setState(({ value }) => ({ value, error: null, isLoading: true }));
    load(controller.signal).then(
      (value) => {
        if (!controller.signal.aborted) setState({ value, error: null, isLoading: false });
      },
      (error: RequestError) => {
        if (!controller.signal.aborted) setState(({ value }) => ({ value, error, isLoading: false }));
      },
    );
    return () => controller.abort();
    // The key says all that the request depends on.
  }, [key]);
  return state;
}
