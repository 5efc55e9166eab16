// AssemblyScript, not TypeScript: part of parser-kernels.as.ts.
//
// JavaScript fills and reads these structs by field names: `npm run build:kernels` writes their layouts to
// parser-kernel-interface.ts.

/** A quantized matrix and a bias: the fields of `PackedMatrix`. */
@unmanaged
export class Matrix {
  inputs: i32;
  outputs: i32;
  weights: usize;
  scales: usize;
  bias: usize;
}

/** The first word of a span and the one after its last. */
@unmanaged
export class Span {
  start: i32;
  end: i32;
}

/** The spans of one kind in all taggings of a caption, each stored once. */
@unmanaged
export class Spans {
  count: i32;
  /** `Span[count]` */
  bounds: usize;
  /** `[taggings, rows]` i32: the index in `bounds` of each span of a tagging. */
  indices: usize;
  /** `[taggings]` i32: the number of spans of each tagging. */
  counts: usize;
}

/** Two mentions whose relation is scored. */
@unmanaged
export class Pair {
  /** Indices of the mentions in reading order. */
  first: i32;
  second: i32;
  /** The rows between the two: the first one and the one after the last. */
  from: i32;
  to: i32;
  /** Rows of the table `distances` for the number of words and of mentions from one to the other. */
  distance: i32;
  steps: i32;
}

/** A pair as part of one tagging. */
@unmanaged
export class TaggingPair {
  /** Index of the `Pair`. */
  pair: i32;
  /** Positions of its mentions in the tagging. */
  first: i32;
  second: i32;
}

/** An attribute and a mention that may own it. */
@unmanaged
export class Owner {
  attribute: i32;
  mention: i32;
  /** Row of the table `attributeDistances`. */
  distance: i32;
}

/** A tagging with its relations and owners, as minimum Bayes-risk decoding weighs it. */
@unmanaged
export class Hypothesis {
  /** Probability of the tags alone, normalized over the hypotheses. */
  tagShare: f64;
  /** Probability of tags, relations and owners together, normalized over the hypotheses. */
  share: f64;
  /** Address of its first `TaggingPair`. */
  pairs: usize;
  /** Address of its first entry in `taggingOwners`. */
  owners: usize;
}

/** Head of `result`. */
@unmanaged
export class ResultCounts {
  mentions: i32;
  attributes: i32;
  relations: i32;
}

/** An attribute in `result`; the positions of its owners follow, `[owners]` i32. */
@unmanaged
export class ResultAttribute {
  start: i32;
  end: i32;
  owners: i32;
}

/** A relation in `result`. */
@unmanaged
export class ResultRelation {
  /** Positions of its mentions in reading order. */
  first: i32;
  second: i32;
  label: i32;
  /** Rows of the words that fill the label, or -1. */
  verb: i32;
  preposition: i32;
}

/** The network, the caption and the buffers of `readCaption`. */
@unmanaged
export class Plan {
  hidden: i32;
  pairHidden: i32;
  attributeHidden: i32;
  /** Width of a row of label scores. */
  labels: i32;
  windowSize: i32;
  tagCount: i32;
  /** Most steps from mention to mention within a pair. */
  maxPairSteps: i32;
  /** Most words between an attribute and its owner. */
  maxOwnerGap: i32;
  /** Stands for the words between two adjacent mentions. */
  emptyBetween: f32;
  slotScale: f32;

  windowBias: usize;
  compounds: usize;
  transitions: usize;
  starts: usize;
  tagEmbeddings: usize;
  distances: usize;
  pairBias: usize;
  attributeDistances: usize;
  attributeBias: usize;

  contextLayer: Matrix;
  tagHiddenLayer: Matrix;
  tagsLayer: Matrix;
  relationContextLayer: Matrix;
  mentionLayer: Matrix;
  betweenLayer: Matrix;
  pairLayer: Matrix;
  labelsLayer: Matrix;
  verbLayer: Matrix;
  prepositionLayer: Matrix;
  attributeLayer: Matrix;
  ownerLayer: Matrix;
  attributeScoreLayer: Matrix;

  /** `[labels]` u8: 1 if a label copies its verb or preposition from the caption. */
  needsVerb: usize;
  needsPreposition: usize;

  /** `[rows]` i32: the index of each row's word in `contributions`. */
  wordIds: usize;
  /** `[words, window, hidden]`: what a word adds to the rows around it, by its position in their windows. */
  contributions: usize;
  /** `[rows]` i32: whether the word forms a compound noun with its neighbors. */
  compoundFlags: usize;
  /** `[rows]` u8: 1 for a verb, 2 for the start of a preposition. */
  fillerFlags: usize;

  windowed: usize;
  gates: usize;
  gatedSums: usize;
  states: usize;
  tagHidden: usize;
  tagScores: usize;
  tagProbabilities: usize;
  taggedStates: usize;
  relationStates: usize;
  between: usize;
  spanStates: usize;
  mentionRoles: usize;
  attributeStates: usize;
  ownerStates: usize;
  /** `Pair[]`, each pair of mentions once. */
  pairs: usize;
  pairMax: usize;
  pairIn: usize;
  pairStates: usize;
  labelScores: usize;
  queries: usize;
  ownerIn: usize;
  ownerScores: usize;

  /** Buffers of `viterbi`. */
  viterbiScratch: usize;
  tags: usize;
  tagTotals: usize;
  mentions: Spans;
  attributes: Spans;
  /** `TaggingPair[]`, tagging after tagging, and how many each has, `[taggings]` i32. */
  taggingPairs: usize;
  taggingPairCounts: usize;
  /** `[pairs]` i32 and f32: each pair's most likely label and its probability. */
  pairLabels: usize;
  pairProbabilities: usize;
  /** `[pairs]` i32: rows of the words that fill the label; -1 if it needs none, -2 if the caption has none. */
  pairVerbs: usize;
  pairPrepositions: usize;
  /** `[pairs]` f64: log-probability of a pair's label and fillers, and their probability. */
  pairLogProbabilities: usize;
  pairConfidences: usize;
  /** `[pairs]` f32: probability of no relation; only filled for captions with several taggings. */
  pairNoneProbabilities: usize;
  /** `Owner[]`, each attribute and mention once. */
  owners: usize;
  /** Indices in `owners`, i32, tagging after tagging, and how many each has, `[taggings]` i32. */
  taggingOwners: usize;
  taggingOwnerCounts: usize;
  /** `Hypothesis[taggings]` */
  hypotheses: usize;
  /** `[mentions]`, `[pairs]`, `[owners]` f64: probability of each fact over all hypotheses. */
  mentionPosteriors: usize;
  pairPosteriors: usize;
  ownerPosteriors: usize;
  /** See read-caption.as.ts. */
  result: usize;
  confidences: usize;
  scratch: usize;
}
