/**
 * Returns the path of the first number in plain data that is NaN or infinite, which JSON would write as null, e.g.
 * `/scores/2`; null if there is none.
 */
export function nonFinitePath(value: unknown): string | null {
  if (typeof value === 'number') return Number.isFinite(value) ? null : '';
  if (typeof value !== 'object' || value === null) return null;
  for (const key of Object.keys(value)) {
    const path = nonFinitePath((value as Record<string, unknown>)[key]);
    if (path !== null) return `/${key}${path}`;
  }
  return null;
}
