import type { PairGroup } from '../../model/query-source.js';

/** The targets of one image: boxes and labels of its pairs, and which relations hold. */
export interface PairTargets extends PairGroup {
  /** `[pairs, relations]` in row-major order, 1 where a relation holds, else 0. */
  readonly relations: Float32Array;
}

/** Returns the number of pairs. */
export const pairCount = ({ subjectLabels }: PairGroup): number => subjectLabels.length;

/** The matching of one image: target `k` is matched with query `queries[k]`. */
export interface Matches {
  readonly queries: Int32Array;
}
