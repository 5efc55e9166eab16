import { readFileSync } from 'node:fs';
import { checkFraction } from '../../records/option-checks.js';
import type { TextParser } from '../../records/ports.js';
import type { TextGraph } from '../../records/text-graph.js';
import { maxCaptionLength } from '../language/tokenize.js';
import { assembleGraph } from './assemble-graph.js';
import { CaptionReader, maxWords } from './caption-reader.js';
import { captionTokens } from './caption-tokens.js';
import { ParserKernels } from './kernels/parser-kernels.js';
import { decodeModel, type ParserModel } from './parser-model.js';

/** Another model or another way to read it makes other graphs: runs and caches go by this. */
const version = '2';

/** Room for the parameters and for the activations of the longest caption. */
const memoryBytes = 48 << 20;

/** The default of `minConfidence`, for the SDK and the recipes: on COCO's captions it keeps the reliable relations. */
export const DEFAULT_MIN_CONFIDENCE = 0.6;

export interface NeuralParserOptions {
  /**
   * Drops relations below this confidence, in [0, 1]; default 0.6. The model itself returns none below 0.2, so 0 keeps all that
   * it returns, as FACTUAL's scores are measured.
   */
  readonly minConfidence?: number;
}

/**
 * A parser of English captions that learned from graphs that people made of captions of Visual Genome (FACTUAL). The model
 * card, README.md beside this file, says how, from what, and how well.
 * @throws OptionError for a confidence out of its range
 */
export function neuralParser({ minConfidence = DEFAULT_MIN_CONFIDENCE }: NeuralParserOptions = {}): TextParser {
  // Read with the first caption: many commands make a graph and run none.
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
  const ready = () => {
    const [model, kernels] = load();
    return { reader: new CaptionReader(kernels, model), forms: model.forms };
  };
  const parse = (caption: string): TextGraph => {
    loaded ??= ready();
    const { reader, forms } = loaded;
    const tokens = captionTokens(caption, maxCaptionLength).slice(0, maxWords);
    const { entities, relations } = assembleGraph(caption, tokens, reader.read(tokens), forms);
    if (minConfidence === 0) return { entities, relations };
    return { entities, relations: relations.filter(({ confidence }) => confidence! >= minConfidence) };
  };
  return {
    // Manifests and caches record this name: it stays what it was before the parser was called `neural`.
    name: 'learned',
    version: minConfidence === 0 ? version : `${version} >= ${minConfidence}`,
    maxLength: maxCaptionLength,
    parse,
  };
}
