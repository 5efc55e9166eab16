export const TAG = { outside: 0, entity: 1, inEntity: 2, attribute: 3, inAttribute: 4 } as const;

/** A phrase goes on only where one of its kind has begun. */
export const mayFollow = (before: number, tag: number): boolean =>
  tag === TAG.inEntity
    ? before === TAG.entity || before === TAG.inEntity
    : tag === TAG.inAttribute
      ? before === TAG.attribute || before === TAG.inAttribute
      : true;
export const mayStart = (tag: number): boolean => tag !== TAG.inEntity && tag !== TAG.inAttribute;

/** Scores of a linear-chain conditional random field. */
export interface CrfScores {
  /** `[rows, 8]`, of which 5 count. */
  readonly tagScores: Float32Array;
  /** `[8, 8]`: from a tag, to a tag. */
  readonly transitions: Float32Array;
  readonly starts: Float32Array;
}

/** A phrase of a tag sequence. */
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

/** Phrases of one tag sequence. */
export interface Phrases {
  readonly mentions: readonly TaggedSpan[];
  readonly attributes: readonly TaggedSpan[];
}

export function phrasesOf(tags: Uint8Array): Phrases {
  const spans = taggedSpans(tags);
  return {
    mentions: spans.filter(({ kind }) => kind === 'entity'),
    attributes: spans.filter(({ kind }) => kind === 'attribute'),
  };
}
