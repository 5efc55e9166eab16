/** What a predicate says about two boxes. `contact` is for actions that need it, and for all other words. */
export type PredicateKind =
  | 'left of'
  | 'right of'
  | 'in front of'
  | 'behind'
  | 'next to'
  | 'below'
  | 'above'
  | 'on'
  | 'in'
  | 'holding'
  | 'looking at'
  | 'contact';

/** The first entry whose words occur in a predicate applies. */
const KINDS: readonly [words: RegExp, kind: PredicateKind][] = [
  [/\b(left of|left side of)\b/, 'left of'],
  [/\b(right of|right side of)\b/, 'right of'],
  [/\bin front of\b/, 'in front of'],
  [/\bbehind\b/, 'behind'],
  [/\b(next to|near|beside|by|around|close to|alongside|along|between|past|toward|towards)\b/, 'next to'],
  [/\b(under|underneath|below|beneath)\b/, 'below'],
  [/\b(above|over)\b/, 'above'],
  [/\b(on top of|on|riding|rides|ride|atop|onto)\b/, 'on'],
  [/\b(in|inside|within|into)\b/, 'in'],
  [/\b(wearing|wears|holding|holds|carrying|carries|with|has|have|having|of|using|eating|'s)\b/, 'holding'],
  [/\b(looking|looks|watching|watches|facing|at)\b/, 'looking at'],
];

/**
 * Returns what a predicate says about two boxes by the words in it, in any case.
 *
 * @example predicateKind('sitting on top of') // 'on'
 */
export function predicateKind(predicate: string): PredicateKind {
  const text = predicate.toLowerCase();
  return KINDS.find(([words]) => words.test(text))?.[1] ?? 'contact';
}
