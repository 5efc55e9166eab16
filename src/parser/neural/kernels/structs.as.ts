// AssemblyScript, not TypeScript: part of parser-kernels.as.ts.

/** As `PackedMatrix`. */
@unmanaged
export class Matrix {
  inputs: i32;
  outputs: i32;
  whole: usize;
  scales: usize;
  bias: usize;
}

/** Spans of words that several taggings of a caption have, each once. */
@unmanaged
export class Spans {
  count: i32;
  /** `[count, 2]` of 32 bits: first word, the one after the last. */
  bounds: usize;
  /** By tagging and place in it: which of the spans it is. `[taggings, rows]` of 32 bits */
  places: usize;
  /** How many a tagging has. `[taggings]` of 32 bits */
  counts: usize;
}

/** Where all lies that `read` works with: the fields of `readPlan` (read-plan.ts), in its order, 32 bits each. */
@unmanaged
export class Plan {
  hidden: i32;
  pairHidden: i32;
  attributeHidden: i32;
  /** Width of a row of label scores. */
  labels: i32;
  windowSize: i32;
  tagCount: i32;
  pairReach: i32;
  ownerReach: i32;
  /** What stands for the words between two mentions where there are none. */
  emptyBetween: f32;
  slotScale: f32;

  windowBias: usize;
  compounds: usize;
  transitions: usize;
  starts: usize;
  tagStates: usize;
  distances: usize;
  pairBias: usize;
  attributeDistances: usize;
  attributeBias: usize;

  contextLayer: Matrix;
  tagHiddenLayer: Matrix;
  tagLayer: Matrix;
  relateLayer: Matrix;
  mentionLayer: Matrix;
  betweenLayer: Matrix;
  pairLayer: Matrix;
  labelLayer: Matrix;
  verbLayer: Matrix;
  prepositionLayer: Matrix;
  attributeLayer: Matrix;
  ownerLayer: Matrix;
  attributeScoreLayer: Matrix;

  /** `[labels]` bytes: 1 where a label leaves a verb or a preposition open. */
  needsVerb: usize;
  needsPreposition: usize;

  /** By row: which word stands there, 32 bits. */
  slots: usize;
  /** What each word gives to the rows around it. `[words, window, hidden]` */
  given: usize;
  /** By row, 32 bits: whether it is one noun with its neighbours. */
  compoundFlags: usize;
  /** By row, bytes: 1 where a verb stands, 2 where a preposition starts. */
  fillings: usize;

  windowed: usize;
  gates: usize;
  sums: usize;
  state: usize;
  tagHidden: usize;
  tagScores: usize;
  tagBeliefs: usize;
  relateIn: usize;
  related: usize;
  between: usize;
  spanStates: usize;
  mentionRoles: usize;
  attributeStates: usize;
  ownerStates: usize;
  pairRows: usize;
  pairMost: usize;
  pairIn: usize;
  pairStates: usize;
  labelScores: usize;
  queries: usize;
  ownerIn: usize;
  ownerScores: usize;

  /** Of `likeliestTags`. */
  tagWork: usize;
  tags: usize;
  totals: usize;
  mentions: Spans;
  attributes: Spans;
  /** By tagging, pair after pair: which pair, first and second mention of the tagging. `[…, 3]` of 32 bits */
  placedPairs: usize;
  /** How many a tagging has. `[taggings]` of 32 bits */
  placedPairCounts: usize;
  pairLabels: usize;
  pairProbabilities: usize;
  /** By pair: the words that fill its label, -1 where none is needed, -2 where none might. `[pairs]` of 32 bits */
  pairVerbs: usize;
  pairPrepositions: usize;
  /** By pair, 64-bit floats: how likely what is read of it is, as a logarithm; how likely the relation is. */
  pairScores: usize;
  pairConfidences: usize;
  /** By pair, 32-bit floats: how likely it is that nothing relates it; of captions with several readings. */
  pairSilences: usize;
  /** By owner: attribute, mention, distance. `[owners, 3]` of 32 bits */
  owners: usize;
  /** By tagging, attribute and mention in reach: which owner. */
  placedOwners: usize;
  /** How many a tagging has. `[taggings]` of 32 bits */
  placedOwnerCounts: usize;
  /** By tagging, see hypotheses.as.ts; by mention, pair and owner, 64-bit floats: how much all readings believe in it. */
  readings: usize;
  mentionBeliefs: usize;
  pairBeliefs: usize;
  ownerBeliefs: usize;
  /** What is found, see read-caption.as.ts. */
  found: usize;
  confidences: usize;
  scratch: usize;
}
