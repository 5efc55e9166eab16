/** A loop has as many copies of the same words; fewer may be meant. */
const LEAST_COPIES = 3;
/** The most words that a loop repeats. */
const LONGEST = 8;

/**
 * Returns the indices of the words that remain of a sentence in which a captioner fell into a loop; undefined if it did not. One copy
 * remains, or what begins another one after the last: "a man with a hat on top of a hat on top of a hat on top of a hat" is "a man with
 * a hat".
 */
export function withoutLoops(words: readonly string[]): readonly number[] | undefined {
  for (let period = 1; period <= LONGEST && LEAST_COPIES * period <= words.length; period++) {
    let run = 0;
    for (let k = 0; k + period <= words.length; k++) {
      if (k + period < words.length && words[k] === words[k + period]) {
        run++;
        continue;
      }
      if (run >= (LEAST_COPIES - 1) * period) return remaining(words.length, k - run, k + period, period);
      run = 0;
    }
  }
  return undefined;
}

/** Returns the indices of `count` words without a loop from `start` to `end`. */
function remaining(count: number, start: number, end: number, period: number): number[] {
  const begun = (end - start) % period;
  // One word is an article: "a cup and a cup and a cup and a plate" has both.
  const [kept, next] = begun > 1 ? [start + begun, end] : [start + period, end - begun];
  return Array.from({ length: count }, (_, k) => k).filter((k) => k < kept || k >= next);
}
