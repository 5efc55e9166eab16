import { readFileSync } from 'node:fs';
import { checkFraction } from '../../records/option-checks.js';
import type { TextParser } from '../../records/ports.js';
import type { TextGraph } from '../../records/text-graph.js';
import { captionSentences } from '../language/caption-sentences.js';
import { isAbstract } from '../language/noun-classes.js';
import { isPictured } from '../language/pictured-parts.js';
import { maxCaptionLength } from '../language/tokenize.js';
import { mergeMentions } from '../rules/merge-mentions.js';
import { readRules } from '../rules/rule-parser.js';
import { assembleGraph } from './assemble-graph.js';
import { CaptionReader, maxWords } from './caption-reader.js';
import { deniedParts, innerClauses } from './denied-parts.js';
import type { Evidence } from './evidence-features.js';
import { joinGraphs, withEntities } from './join-graphs.js';
import { ParserKernels } from './kernels/parser-kernels.js';
import { withNamedTraps } from './kernels/with-named-traps.js';
import { decodeModel, type ParserModel } from './parser-model.js';
import { calibratedConfidence } from './relation-confidence.js';

/** Part of the parser's identity in runs and caches: raise it when a change alters the graphs. */
const version = '18';

/** Bytes for the parameters and for the activations of the longest caption. */
const memoryBytes = 48 << 20;

/** Longest captions, in words, that the network reads alone. */
const phraseWords = 5;
/** Longest captions, in words, that the network has learned well; the rules read longer ones better. */
const captionWords = 10;

/** Captions of more words are paragraphs, which say less and less plainly what the picture shows. */
const paragraphWords = 50;

/** The default of `minConfidence`, for the SDK and the recipes: 95 % of the judged relations that it keeps are right. */
export const DEFAULT_MIN_CONFIDENCE = 0.6;

/** Options of `neuralParser`. */
export interface NeuralParserOptions {
  /**
   * Drops relations below this confidence, in [0, 1], and those that the caption has no word for; default 0.6. 0 returns all relations
   * of network and rules, as the scores on FACTUAL are measured; a higher value returns some of those of a lower one.
   */
  readonly minConfidence?: number;
}

/**
 * Makes a parser of English captions: a network trained on FACTUAL, graphs that annotators drew for captions of Visual Genome.
 * The model card, README.md next to this file, has its training data and scores.
 * @throws OptionError for a `minConfidence` outside [0, 1]
 *
 * @example
 * ```ts
 * import { neuralParser } from 'relflow';
 *
 * const { entities, relations } = await neuralParser({ minConfidence: 0.5 }).parse('a man riding a horse');
 * for (const { subject, predicate, object, confidence } of relations)
 *   console.log(entities[subject]?.span, predicate, entities[object]?.span, confidence); // man riding horse 0.9947
 * ```
 */
export function neuralParser({ minConfidence = DEFAULT_MIN_CONFIDENCE }: NeuralParserOptions = {}): TextParser {
  // The model is loaded for the first caption: many commands build a graph without running it.
  return lazyParser(() => {
    const kernels = new ParserKernels(memoryBytes);
    return [decodeModel(readFileSync(new URL('parser.model', import.meta.url)), kernels), kernels];
  }, minConfidence);
}

/**
 * Makes a parser of a decoded model; it returns relations of any confidence.
 * @param kernels whose memory holds the model
 * @param confidenceOf default: the calibrated confidence
 */
export function parserOf(
  model: ParserModel,
  kernels: ParserKernels,
  confidenceOf?: (evidence: Evidence) => number,
): TextParser {
  return lazyParser(() => [model, kernels], 0, confidenceOf);
}

function lazyParser(
  load: () => readonly [ParserModel, ParserKernels],
  minConfidence: number,
  confidence?: (evidence: Evidence) => number,
): TextParser {
  checkFraction('neuralParser', 'minConfidence', minConfidence);
  let loaded: ReturnType<typeof loadReader> | undefined;
  const loadReader = () => {
    const [model, kernels] = load();
    return {
      reader: new CaptionReader(kernels, model),
      forms: model.forms,
      confidenceOf: confidence ?? calibratedConfidence(),
    };
  };
  const parse = (caption: string): TextGraph => {
    loaded ??= loadReader();
    const { reader, forms, confidenceOf } = loaded;
    const sentences = captionSentences(caption);
    const words = sentences.reduce((sum, { tokens }) => sum + tokens.length, 0);
    const isPhrase = words <= captionWords;
    const network = concatenated(
      sentences.map(({ tokens, isQuestion }) => {
        const read = tokens.length > maxWords ? tokens.slice(0, maxWords) : tokens;
        // The rules make up for what the comparison of taggings gains in longer captions, at less cost.
        const graph = assembleGraph(caption, read, reader.read(read, isPhrase ? undefined : 1), forms);
        return isQuestion ? { ...graph, relations: [] } : graph;
      }),
    );
    const rules = readRules(caption, words > phraseWords ? sentences : []);
    const isDenied = deniedParts(caption);
    const joined = joinGraphs(network, rules, {
      isPhrase,
      isParagraph: words > paragraphWords,
      isDenied: (start, end) =>
        isDenied(start, end) ||
        rules.pictured.some((part) => isPictured(part, { start }) || isPictured(part, { start: end - 1 })),
      hasInnerClause: innerClauses(caption),
      confidenceOf,
    });
    const relations =
      minConfidence === 0
        ? joined.relations
        : joined.relations.filter(({ confidence, predicate }) => confidence! >= minConfidence && predicate !== '');
    const ruleEnds = new Set(rules.graph.entities.map(({ end }) => end));
    const related = new Set<number>();
    for (const { subject, object } of relations) related.add(subject).add(object);
    const graph = withEntities(
      { entities: joined.entities, relations },
      // What only one of them takes for a phrase counts if it is related.
      ({ lemma, end }, index) =>
        (isPhrase || !isAbstract(lemma)) &&
        (related.has(index) || (index < network.entities.length && (isPhrase || ruleEnds.has(end)))),
    );
    return mergeMentions(caption, graph, rules.mentions);
  };
  return {
    // Manifests and caches record this name: it stays what it was before the parser was called `neural`.
    name: 'learned',
    version: `${version} >= ${minConfidence}`,
    maxLength: maxCaptionLength,
    parse: (caption) => withNamedTraps(caption, () => parse(caption)),
  };
}

/** Returns one graph of all sentences. */
function concatenated(graphs: readonly TextGraph[]): TextGraph {
  const [first] = graphs;
  if (!first) return { entities: [], relations: [] };
  if (graphs.length === 1) return first;
  const entities: TextGraph['entities'] = [];
  const relations: TextGraph['relations'] = [];
  for (const graph of graphs) {
    const offset = entities.length;
    entities.push(...graph.entities);
    for (const relation of graph.relations)
      relations.push({ ...relation, subject: relation.subject + offset, object: relation.object + offset });
  }
  return { entities, relations };
}
