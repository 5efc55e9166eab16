const numbers: ReadonlyMap<string, string> = new Map([
  ...`one two three four five six seven eight nine ten eleven twelve`
    .split(' ')
    .map((word, k): [string, string] => [word, `${k + 1}`]),
  ...([
    ['both', '2'],
    ['couple', '2'],
    ['pair', '2'],
    ['double', '2'],
    ['trio', '3'],
    ['triple', '3'],
    ['dozen', '12'],
  ] as const),
]);

/** Returns the number that a word expresses, in digits: `two` and `couple` → `2`; undefined for other words. */
export const digitsOf = (word: string): string | undefined => numbers.get(word);
