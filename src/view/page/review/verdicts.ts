import type { EditAction } from '../../review-api.js';

/** An answer to whether a relation holds. */
export interface RelationVerdict {
  readonly label: string;
  /** The first one is shown. */
  readonly keys: readonly string[];
  readonly does: string;
  readonly what: EditAction;
  /** The class of its button. */
  readonly look?: 'good' | 'bad';
}

/** What people can say about a relation with one key. */
export const VERDICTS: readonly RelationVerdict[] = [
  { label: 'Right', keys: ['a', 'j'], does: 'it holds, for these boxes', what: { action: 'approve' }, look: 'good' },
  {
    label: 'Wrong',
    keys: ['x', 'f'],
    does: 'it does not hold',
    what: { action: 'reject', triplet: 'no' },
    look: 'bad',
  },
  {
    label: 'Other boxes',
    keys: ['o', 'd'],
    does: 'it holds, but for other boxes of the image',
    what: { action: 'reject', triplet: 'yes' },
  },
  { label: 'Unsure', keys: ['s', ' '], does: 'I cannot tell', what: { action: 'unsure' } },
];
