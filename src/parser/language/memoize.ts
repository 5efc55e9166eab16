/** A function of a word that keeps what it found: captions say few words often. It forgets all when there are `limit`. */
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
