/** Sizes of a RoBERTa text encoder. */
export interface RobertaShape {
  /** Number of transformer layers; 0 for fixed vectors in place of a transformer, see `HashedTextEncoder`. */
  readonly layers: number;
  /** Channels of a label vector. */
  readonly width: number;
  /** Attention heads. */
  readonly heads: number;
  /** Hidden channels of the feed-forward networks. */
  readonly hidden: number;
  /** Number of token ids. */
  readonly vocabulary: number;
  /** Rows of the position table: two more than the maximum number of tokens of a text. */
  readonly positions: number;
}

/** RoBERTa-base. */
export const robertaBase: RobertaShape = {
  layers: 12,
  width: 768,
  heads: 12,
  hidden: 3072,
  vocabulary: 50_265,
  positions: 514,
};
