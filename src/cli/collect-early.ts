import { setFlagsFromString } from 'node:v8';

/**
 * Limits the growth of V8's heap between two collections of old space to a half; V8's default is up to fourfold. A run
 * keeps few objects alive and drops many, so the default costs memory in long runs without a measurable gain in speed.
 */
export function collectEarly(): void {
  setFlagsFromString('--heap-growing-percent=50');
}
