import { irregularParticiples } from '../src/parser/language/closed-classes.js';
import { isAdjective, isNoun, nounLemma, verbLemma } from '../src/parser/language/lemma.js';
import type { WordClass } from '../src/parser/language/word-class.js';
import { classesOf } from '../src/parser/rules/word-classes.js';
import { tagNames, tagNumbers, type WordTag } from '../src/parser/tagging/word-tags.js';
import { correctClasses } from './correct-classes.js';
import type { WordSyntax } from './label-syntax.js';
import { tagCounts } from './tag-counts.js';

const formsOfBe = new Set(['am', 'is', 'are', 'was', 'were', 'be', 'been', 'being']);
const auxiliaries = new Set(['has', 'have', 'had', 'having', 'do', 'does', 'did', 'get', 'gets', 'getting', 'got']);
const names = new Set<string>(tagNames);
/** Tags that the tagger does not tell apart. */
const joined: Readonly<Record<string, WordTag>> = {
  ...{ JJR: 'JJ', JJS: 'JJ', RBR: 'RB', RBS: 'RB', VBP: 'VB', WRB: 'SC', PDT: 'DT' },
};
/** Classes that captions hardly have: of a word that the teacher gives them, others of its labels count. */
const unlikely = new Set(['PROPN', 'INTJ', 'SYM', 'X']);

/**
 * Returns the tags that the tagger learns from the teacher's labels, corrected where the teacher is known to be wrong about captions. A
 * name, an interjection or a symbol counts as what the word is most often, since the teacher takes capitalized first words for names:
 * "Wooden table".
 * @returns for each sentence, the numbers of its tags in `tagNames`
 */
export function taggerLabels(sentences: readonly (readonly string[])[], labels: readonly WordSyntax[][]): Uint8Array[] {
  const tags = sentences.map((words, k) =>
    words.map((word, i) => {
      const tag = tagOf(word, labels[k]!, i);
      return tag === undefined ? undefined : tagNumbers[tag];
    }),
  );
  const counts = tagCounts(sentences.map((words, k) => ({ words, tags: tags[k]! })));
  const usual = (word: string, { tag }: WordSyntax) => {
    const found = counts.get(word);
    return found ? found.indexOf(Math.max(...found)) : tagNumbers[tag === 'NNPS' ? 'NNS' : 'NN'];
  };
  return sentences.map((words, k) => {
    const numbers = words.map((word, i) => tags[k]![i] ?? usual(word, labels[k]![i]!));
    return corrected(words, Uint8Array.from(numbers));
  });
}

function corrected(words: readonly string[], tags: Uint8Array): Uint8Array {
  const { classes: before, isOpen } = classesOf(words, tags);
  const after = before.slice();
  correctClasses(words, after, isOpen);
  return tags.map((tag, k) =>
    after[k] === before[k] || (before[k] === 'adverb' && after[k] === 'verb')
      ? tag
      : tagOfClass(words[k]!, after[k]!, tag),
  );
}

function tagOfClass(word: string, wordClass: WordClass, tag: number): number {
  if (wordClass === 'adjective') return tagNumbers.JJ;
  if (wordClass === 'noun') return nounLemma(word) === word ? tagNumbers.NN : tagNumbers.NNS;
  if (wordClass !== 'verb') return tag;
  if (word.endsWith('ing')) return tagNumbers.VBG;
  if (verbLemma(word) === word) return irregularParticiples.has(word) ? tagNumbers.VBN : tagNumbers.VB;
  return word.endsWith('s') ? tagNumbers.VBZ : tagNumbers.VBN;
}

function tagOf(word: string, labels: readonly WordSyntax[], k: number): WordTag | undefined {
  const { pos, tag, head, dependency } = labels[k]!;
  if (/^VB[GDN]$/.test(tag) && head > k && /^(?:amod|compound)$/.test(dependency)) return 'JJ';
  if (tag === 'JJ' && /^(?:[dp]obj|nsubj|nsubjpass)$/.test(dependency) && isNoun(word)) return 'NN';
  if (pos === 'PUNCT') return word === ',' ? ',' : 'X';
  if (unlikely.has(pos)) return undefined;
  if (formsOfBe.has(word)) return 'AUX';
  if (tag === 'POS') return 'POS';
  if (pos === 'AUX' && (tag === 'MD' || auxiliaries.has(word))) return 'AUX';
  if (tag === 'PRP$' || tag === 'EX') return tag;
  if (/^W[DP]/.test(tag)) return 'W';
  if (pos === 'PRON') return 'PRP';
  if (pos === 'SCONJ') return 'SC';
  const name = joined[tag] ?? tag;
  // "a skateboard"
  if (name === 'JJ' && isNoun(word) && !isAdjective(word) && !/-|(?:ing|ed|en)$/.test(word)) return 'NN';
  return names.has(name) ? (name as WordTag) : undefined;
}
