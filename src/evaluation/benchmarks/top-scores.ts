/** A score of a pair and a predicate. */
export interface ScoredPredicate {
  /** Index of the pair. */
  readonly pair: number;
  /** Index of the predicate. */
  readonly predicate: number;
  readonly score: number;
}

/**
 * Selects the highest scores of all pairs and predicates of an image. Among equal scores the lower pair, then the lower
 * predicate comes first, as in a stable sort.
 *
 * @param count number of pairs
 * @param predicates number of predicates
 * @param scoresOf writes the scores of a pair to the given array
 * @param most number of scores to keep
 * @returns the selected scores, the highest first
 */
export function topScores(
  count: number,
  predicates: number,
  scoresOf: (pair: number, into: Float64Array) => void,
  most: number,
): ScoredPredicate[] {
  const row = new Float64Array(predicates);
  // A heap whose root is the selected entry that goes first: the lowest score and, among equals, the last place.
  const [scores, places] = [new Float64Array(most), new Int32Array(most)];
  let size = 0;
  const isLower = (a: number, b: number) =>
    scores[a]! < scores[b]! || (scores[a] === scores[b] && places[a]! > places[b]!);
  const swap = (a: number, b: number) => {
    [scores[a], scores[b]] = [scores[b]!, scores[a]!];
    [places[a], places[b]] = [places[b]!, places[a]!];
  };
  for (let pair = 0; pair < count; pair++) {
    scoresOf(pair, row);
    for (let predicate = 0; predicate < predicates; predicate++) {
      const score = row[predicate]!;
      let at = 0;
      if (size < most) {
        at = size++;
        [scores[at], places[at]] = [score, pair * predicates + predicate];
        for (; at > 0 && isLower(at, (at - 1) >> 1); at = (at - 1) >> 1) swap(at, (at - 1) >> 1);
        continue;
      }
      // Later places lose against equal scores, so that an entry that is not greater than the root is not selected.
      if (!(score > scores[0]!)) continue;
      [scores[0], places[0]] = [score, pair * predicates + predicate];
      for (;;) {
        const [left, right] = [2 * at + 1, 2 * at + 2];
        let lowest = left < size && isLower(left, at) ? left : at;
        if (right < size && isLower(right, lowest)) lowest = right;
        if (lowest === at) break;
        swap(at, lowest);
        at = lowest;
      }
    }
  }
  return Array.from({ length: size }, (_, k) => ({
    pair: Math.floor(places[k]! / predicates),
    predicate: places[k]! % predicates,
    score: scores[k]!,
  })).sort((a, b) => b.score - a.score || a.pair - b.pair || a.predicate - b.predicate);
}
