import { isVerb } from './lemma.js';
import { memoize } from './memoize.js';
import { prepositionAt } from './prepositions.js';

/** Returns the form in which captions mostly use a verb: `wear` → `wearing`, `have` → `has`. Other words stay unchanged. */
export const gerund: (lemma: string) => string = memoize(1000, (lemma) => {
  if (lemma === 'have') return 'has';
  if (prepositionAt([lemma], 0) || !isVerb(lemma)) return lemma;
  if (lemma.endsWith('ie')) return `${lemma.slice(0, -2)}ying`;
  if (/[^eoy]e$/.test(lemma)) return `${lemma.slice(0, -1)}ing`;
  return /^[^aeiou]*[aeiou][bdgmnprt]$/.test(lemma) ? `${lemma}${lemma.at(-1)}ing` : `${lemma}ing`;
});
