import type { TextParser } from '../../records/ports.js';
import type { TextGraph } from '../../records/text-graph.js';
import { maxCaptionLength, tokenize } from '../language/tokenize.js';
import { clauseParts } from './clause-parts.js';
import { RelationReader } from './relation-reader.js';
import { wordClasses } from './word-classes.js';

/**
 * A parser of English captions by rules over part-of-speech tags, until a learned one takes its place. It prefers a missed
 * relation to a wrong one.
 *
 * - Predicates are lower case, as written, without auxiliaries, adverbs and articles: "is quietly sitting on the side of" is
 *   `sitting on side of`. Passives stay (`covered with`), and so does `of`; the owner of "a man's hat" `has` it.
 * - "Men and women with bags and hats" relates each to each. "Two dogs facing each other" has the dogs as subject and as
 *   object, which asks for two boxes. `it` and `them` stand for the phrase that they mean, or for nothing.
 * - What counts or collects is the quantity of the phrase that it collects ("a group of people", "two slices of pizza");
 *   containers are phrases ("a plate of food"). "The top of" and "a photo of" at the start are no phrases.
 *
 * Source: the forms of RLIPv2's parsed captions (spec A.5); the rules are relflow's own.
 */
export function ruleParser(): TextParser {
  return { name: 'rules', version: '1', maxLength: maxCaptionLength, parse };
}

function parse(caption: string): TextGraph {
  const reader = new RelationReader();
  for (const tokens of tokenize(caption, maxCaptionLength)) {
    const tags = wordClasses(tokens.map(({ text }) => text));
    reader.read(clauseParts({ caption, tokens, tags }));
  }
  return reader.graph();
}
