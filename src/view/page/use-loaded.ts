import { useEffect, useState } from 'preact/hooks';
import type { RequestError } from './api.js';

/** Something that is loaded from the server. */
export interface Loaded<T> {
  /** The last reply; also shown while the next one is on its way. */
  readonly value: T | null;
  readonly error: RequestError | null;
}

/** Loads when the key, which says what is loaded, changes; a request that another one replaces is aborted. */
export function useLoaded<T>(key: string, load: (signal: AbortSignal) => Promise<T>): Loaded<T> {
  const [state, setState] = useState<Loaded<T>>({ value: null, error: null });
  useEffect(() => {
    const controller = new AbortController();
    setState(({ value }) => ({ value, error: null }));
    load(controller.signal).then(
      (value) => {
        if (!controller.signal.aborted) setState({ value, error: null });
      },
      (error: RequestError) => {
        if (!controller.signal.aborted) setState(({ value }) => ({ value, error }));
      },
    );
    return () => controller.abort();
    // The key says all that the request depends on.
  }, [key]);
  return state;
}
