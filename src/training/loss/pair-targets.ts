import type { PairGroup } from '../../model/query-source.js';

/** The pairs of one image as they should be found: boxes, labels, and which relations hold. */
export interface PairTargets extends PairGroup {
  /** `[pairs, relations]` row by row, 1 where one holds. */
  readonly relations: Float32Array;
}

export const pairCount = ({ subjectLabels }: PairGroup): number => subjectLabels.length;

/** Which query stands for which target, by image: `queries[k]` for target `k`. */
export interface Matches {
  readonly queries: Int32Array;
}
