import type { TextParser } from '../../records/ports.js';
import type { TextGraph, TextRelation } from '../../records/text-graph.js';
import { type CaptionSentence, captionSentences } from '../language/caption-sentences.js';
import { isPictured, type PicturedPart, picturedParts } from '../language/pictured-parts.js';
import { maxCaptionLength } from '../language/tokenize.js';
import type { SubjectSupport } from '../subjects/subject-scorer.js';
import type { Mention } from './antecedents.js';
import { clauseParts } from './clause-parts.js';
import { mergeMentions } from './merge-mentions.js';
import type { OtherReading, Reading } from './phrase-graph.js';
import { RelationReader } from './relation-reader.js';
import { withoutQuotes } from './without-quotes.js';
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
  return { name: 'rules', version: '12', maxLength: maxCaptionLength, parse };
}

function parse(caption: string): TextGraph {
  const { graph, mentions } = readRules(caption, captionSentences(caption));
  return mergeMentions(caption, graph, mentions);
}

/** What the rules find in a caption. */
export interface RulesReading {
  readonly graph: TextGraph;
  /** How each relation was read. */
  readonly readings: readonly Reading[];
  /** Finds relations of the same predicates with other subjects, which the rules do not choose. */
  readonly others: () => readonly OtherReading[];
  /** Returns what supports an entity as the subject of another's predicate, see `RelationReader.supportOf`. */
  readonly supportOf: (subject: number, object: number, reading?: Reading) => SubjectSupport | undefined;
  readonly mentions: readonly Mention[];
  /** What pictures in the picture show. */
  readonly pictured: readonly PicturedPart[];
}

/** Reads the sentences of a caption: their graph, and which of its phrases and pronouns stand for others. */
export function readRules(caption: string, sentences: readonly CaptionSentence[]): RulesReading {
  const reader = new RelationReader();
  for (const { tokens: spoken, words, isQuestion } of sentences) {
    const tokens = withoutQuotes(caption, spoken);
    const tags = wordClasses(tokens === spoken ? words : tokens.map(({ text }) => text));
    reader.read(clauseParts({ caption, tokens, tags }), isQuestion);
  }
  const { entities, relations } = reader.graph();
  const pictured = picturedParts(sentences);
  const isSeen = ({ subject, object, predicate }: TextRelation) =>
    !pictured.some((part) =>
      isPictured(part, entities[object]!)
        ? isPictured(part, entities[subject]!) || predicate !== part.predicate
        : isPictured(part, entities[subject]!),
    );
  const readings = reader.readings();
  const mentions = reader.mentions();
  const supportOf: RulesReading['supportOf'] = (subject, object, reading) => reader.supportOf(subject, object, reading);
  return pictured.length === 0
    ? { graph: { entities, relations }, readings, others: () => reader.otherReadings(), supportOf, mentions, pictured }
    : {
        graph: { entities, relations: relations.filter(isSeen) },
        readings: readings.filter((_, k) => isSeen(relations[k]!)),
        others: () => reader.otherReadings().filter(({ relation }) => isSeen(relation)),
        supportOf,
        mentions,
        pictured,
      };
}
