import { readFileSync } from 'node:fs';
import { checkFraction } from '../../records/option-checks.js';
import type { TextParser } from '../../records/ports.js';
import type { TextGraph } from '../../records/text-graph.js';
import { captionSentences } from '../language/caption-sentences.js';
import { maxCaptionLength } from '../language/tokenize.js';
import { ruleGraph } from '../rules/rule-parser.js';
import { assembleGraph } from './assemble-graph.js';
import { CaptionReader, maxWords } from './caption-reader.js';
import { joinGraphs, withoutAbstract } from './join-graphs.js';
import { ParserKernels } from './kernels/parser-kernels.js';
import { withNamedTraps } from './kernels/with-named-traps.js';
import { decodeModel, type ParserModel } from './parser-model.js';

/** Part of the parser's identity in runs and caches: raise it when a change alters the graphs. */
const version = '5';

/** Bytes for the parameters and for the activations of the longest caption. */
const memoryBytes = 48 << 20;

/** Longest captions, in words, that the network reads alone. */
const phraseWords = 5;
/** Longest captions, in words, that the network has learned well; the rules read longer ones better. */
const captionWords = 10;

/** The default of `minConfidence`, for the SDK and the recipes: on COCO's captions it keeps the reliable relations. */
export const DEFAULT_MIN_CONFIDENCE = 0.6;

/** Options of `neuralParser`. */
export interface NeuralParserOptions {
  /**
   * Drops relations below this confidence, in [0, 1], and those that the caption has no word for; default 0.6. 0 returns the graph that
   * FACTUAL's annotators would draw, as the scores are measured: all relations of the network, which has none below 0.2, and none of the rules.
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
 */
export function parserOf(model: ParserModel, kernels: ParserKernels): TextParser {
  return lazyParser(() => [model, kernels], 0);
}

function lazyParser(load: () => readonly [ParserModel, ParserKernels], minConfidence: number): TextParser {
  checkFraction('neuralParser', 'minConfidence', minConfidence);
  let loaded: { readonly reader: CaptionReader; readonly forms: ParserModel['forms'] } | undefined;
  const loadReader = () => {
    const [model, kernels] = load();
    return { reader: new CaptionReader(kernels, model), forms: model.forms };
  };
  const parse = (caption: string): TextGraph => {
    loaded ??= loadReader();
    const { reader, forms } = loaded;
    const sentences = captionSentences(caption, maxCaptionLength, minConfidence === 0);
    const words = sentences.reduce((sum, { tokens }) => sum + tokens.length, 0);
    // The rules make up for what the comparison of taggings gains, at less cost.
    const taggings = minConfidence === 0 || words <= captionWords ? undefined : 1;
    const network = concatenated(
      sentences.map(({ tokens, isQuestion }) => {
        const read = tokens.slice(0, maxWords);
        const graph = assembleGraph(caption, read, reader.read(read, taggings), forms);
        return isQuestion ? { ...graph, relations: [] } : graph;
      }),
    );
    if (minConfidence === 0) return sentences.length > 1 ? withoutAbstract(network) : network;
    const { entities, relations } = joinGraphs(
      network,
      words > phraseWords ? ruleGraph(caption, sentences) : { entities: [], relations: [] },
      {
        isPhrase: words <= captionWords,
        isDenied: (start, end) => denials.test(caption.slice(start, end)) || neither.test(caption.slice(0, end)),
      },
    );
    return {
      entities,
      relations: relations.filter(({ confidence, predicate }) => confidence! >= minConfidence && predicate !== ''),
    };
  };
  return {
    // Manifests and caches record this name: it stays what it was before the parser was called `neural`.
    name: 'learned',
    version: minConfidence === 0 ? version : `${version} >= ${minConfidence}`,
    maxLength: maxCaptionLength,
    parse: (caption) => withNamedTraps(caption, () => parse(caption)),
  };
}

/** What makes a relation of the words around it untrue, or only possible. */
const denials =
  /\b(?:not|no|never|without|neither|nor|no(?:body|ne|thing)|almost|about to|as if|as though|instead|pretend\w*|tr(?:y|ies|ying) to|ready to|attempt\w*)\b|n['’]t\b/i;

/** `neither` denies the rest of its sentence. */
const neither = /\bneither\b[^.;!?\n]*$/i;

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
