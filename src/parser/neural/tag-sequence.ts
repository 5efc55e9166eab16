/** Tags of words: begin (`entity`, `attribute`) or inside a phrase, or outside of all. */
export const TAG = { outside: 0, entity: 1, inEntity: 2, attribute: 3, inAttribute: 4 } as const;

/** Whether a tag may follow another: inside tags need a phrase of their kind before them. */
export const tagMayFollow = (before: number, tag: number): boolean =>
  tag === TAG.inEntity
    ? before === TAG.entity || before === TAG.inEntity
    : tag === TAG.inAttribute
      ? before === TAG.attribute || before === TAG.inAttribute
      : true;
/** Whether a caption may start with a tag. */
export const tagMayStart = (tag: number): boolean => tag !== TAG.inEntity && tag !== TAG.inAttribute;

/** Scores of a linear-chain conditional random field (CRF). */
export interface CrfScores {
  /** `[rows, 8]` with 5 used columns. */
  readonly tagScores: Float32Array;
  /** `[8, 8]`: from the row's tag to the column's. */
  readonly transitions: Float32Array;
  /** `[8]`: scores of the first word's tag. */
  readonly starts: Float32Array;
}

/** A phrase of a tag sequence: its first word and the one after its last. */
export interface TaggedSpan {
  readonly kind: 'entity' | 'attribute';
  readonly start: number;
  readonly end: number;
}

function taggedSpans(tags: Uint8Array): TaggedSpan[] {
  const spans: TaggedSpan[] = [];
  for (let start = 0; start < tags.length; start++) {
    const tag = tags[start]!;
    if (tag !== TAG.entity && tag !== TAG.attribute) continue;
    let end = start + 1;
    while (end < tags.length && tags[end] === tag + 1) end++;
    spans.push({ kind: tag === TAG.entity ? 'entity' : 'attribute', start, end });
  }
  return spans;
}

/** The phrases of one tag sequence in reading order. */
export interface Phrases {
  readonly mentions: readonly TaggedSpan[];
  readonly attributes: readonly TaggedSpan[];
}

/** Returns the phrases that tags mark. */
export function tagSequencePhrases(tags: Uint8Array): Phrases {
  const spans = taggedSpans(tags);
  return {
    mentions: spans.filter(({ kind }) => kind === 'entity'),
    attributes: spans.filter(({ kind }) => kind === 'attribute'),
  };
}
