/**
 * Returns whether to style what is written to a stream: `NO_COLOR` forbids it, `FORCE_COLOR` demands it, and otherwise only a
 * terminal gets colors.
 */
export function hasColors(stream: { readonly isTTY?: boolean }, env: NodeJS.ProcessEnv): boolean {
  const { NO_COLOR: never, FORCE_COLOR: force, TERM: terminal } = env;
  if (never || force === '0' || force === 'false') return false;
  if (force !== undefined) return true;
  return stream.isTTY === true && terminal !== 'dumb';
}
