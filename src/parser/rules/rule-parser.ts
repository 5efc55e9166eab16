import type { TextParser } from '../../records/ports.js';
import type { TextGraph } from '../../records/text-graph.js';
import { type CaptionSentence, captionSentences } from '../language/caption-sentences.js';
import { maxCaptionLength } from '../language/tokenize.js';
import type { Mention } from './antecedents.js';
import { clauseParts } from './clause-parts.js';
import { mergeMentions } from './merge-mentions.js';
import { RelationReader } from './relation-reader.js';
import { wordClasses } from './word-classes.js';

/**
 * Makes a parser of English captions that applies rules to part-of-speech tags. It prefers a missed relation to a wrong one.
 * `neuralParser` scores much higher; this parser is the baseline to compare it with.
 *
 * - Predicates are lower case, as written, without auxiliaries, adverbs and articles: "is quietly sitting on the side of"
 *   becomes `sitting on side of`. Passives stay (`covered with`), and so does `of`; "a man's hat" becomes `man 's hat`.
 * - "Men and women with bags and hats" relates each subject to each object. "Two dogs facing each other" has the dogs as
 *   subject and as object, which later requires two boxes. `it` and `them` refer to the phrase that they mean, or are dropped.
 * - A word that counts or collects is the quantity of the phrase after it ("a group of people", "two slices of pizza");
 *   containers are phrases ("a plate of food"). "The top of" and "a photo of" at the start do not become phrases.
 *
 * Source: the forms of RLIPv2's parsed captions (spec A.5); the rules are relflow's own.
 *
 * @example
 * ```ts
 * import { ruleParser } from 'relflow';
 *
 * const { entities, relations } = await ruleParser().parse('a man riding a horse');
 * for (const { subject, predicate, object } of relations)
 *   console.log(entities[subject]?.span, predicate, entities[object]?.span); // man riding horse
 * ```
 */
export function ruleParser(): TextParser {
  return { name: 'rules', version: '4', maxLength: maxCaptionLength, parse };
}

function parse(caption: string): TextGraph {
  const { graph, mentions } = readRules(caption, captionSentences(caption, maxCaptionLength));
  return mergeMentions(caption, graph, mentions);
}

/** Reads the sentences of a caption: their graph, and which of its phrases and pronouns stand for others. */
export function readRules(
  caption: string,
  sentences: readonly CaptionSentence[],
): { readonly graph: TextGraph; readonly mentions: readonly Mention[] } {
  const reader = new RelationReader();
  for (const { tokens, isQuestion } of sentences) {
    const tags = wordClasses(tokens.map(({ text }) => text));
    reader.read(clauseParts({ caption, tokens, tags }), isQuestion);
  }
  return { graph: reader.graph(), mentions: reader.mentions() };
}
