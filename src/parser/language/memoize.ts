/**
 * Caches the results of a function of a word, since captions repeat few words often. The cache is cleared when it holds
 * `limit` words.
 */
export function memoize<T>(limit: number, find: (word: string) => T): (word: string) => T {
  const known = new Map<string, T>();
  return (word) => {
    let found = known.get(word);
    if (found !== undefined || known.has(word)) return found as T;
    found = find(word);
    if (known.size >= limit) known.clear();
    known.set(word, found);
    return found;
  };
}
