export interface RobertaShape {
  /** 0 for fixed vectors of words and letters in place of a transformer, see HashedTexts. */
  readonly layers: number;
  readonly width: number;
  readonly heads: number;
  /** Width of the feed-forward part. */
  readonly hidden: number;
  readonly vocabulary: number;
  /** Rows of the position table, two more than the longest text has tokens. */
  readonly positions: number;
}

export const robertaBase: RobertaShape = {
  layers: 12,
  width: 768,
  heads: 12,
  hidden: 3072,
  vocabulary: 50_265,
  positions: 514,
};
