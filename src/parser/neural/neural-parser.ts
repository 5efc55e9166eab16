import { readFileSync } from 'node:fs';
import { checkFraction } from '../../records/option-checks.js';
import type { TextParser } from '../../records/ports.js';
import type { TextGraph } from '../../records/text-graph.js';
import { longestCaption } from '../rules/rule-parser.js';
import { assembleGraph } from './assemble-graph.js';
import { CaptionReader, maxWords } from './caption-reader.js';
import { captionTokens } from './caption-tokens.js';
import { Kernels } from './kernels/kernels.js';
import { decodeModel, type ParserModel } from './parser-model.js';

/** Another model or another way to read it makes other graphs: runs and caches go by this. */
const version = '2';

/** Room for the parameters and for the activations of the longest caption. */
const memoryBytes = 48 << 20;

export interface NeuralParserOptions {
  /**
   * Relations that it believes in less are left out, in [0, 1]; default 0, as it tells none below 0.2. On captions of COCO, 0.6
   * leaves the sure ones.
   */
  readonly minConfidence?: number;
}

/**
 * A parser of English captions that learned from graphs that people made of captions of Visual Genome (FACTUAL). The model
 * card, README.md beside this file, says how, from what, and how well.
 * @throws OptionError for a confidence out of its range
 */
export function neuralParser(options: NeuralParserOptions = {}): TextParser {
  // Read with the first caption: many commands make a graph and run none.
  return lazyParser(() => {
    const kernels = new Kernels(memoryBytes);
    return [decodeModel(readFileSync(new URL('parser.model', import.meta.url)), kernels), kernels];
  }, options);
}

/** @param kernels what the model lies in */
export function parserOf(model: ParserModel, kernels: Kernels, options?: NeuralParserOptions): TextParser {
  return lazyParser(() => [model, kernels], options);
}

function lazyParser(
  load: () => readonly [ParserModel, Kernels],
  { minConfidence = 0 }: NeuralParserOptions = {},
): TextParser {
  checkFraction('neuralParser', 'minConfidence', minConfidence);
  let loaded: { readonly reader: CaptionReader; readonly forms: ParserModel['forms'] } | undefined;
  const ready = () => {
    const [model, kernels] = load();
    return { reader: new CaptionReader(kernels, model), forms: model.forms };
  };
  const parse = (caption: string): TextGraph => {
    loaded ??= ready();
    const { reader, forms } = loaded;
    const tokens = captionTokens(caption, longestCaption).slice(0, maxWords);
    const { entities, relations } = assembleGraph(caption, tokens, reader.read(tokens), forms);
    if (minConfidence === 0) return { entities, relations };
    return { entities, relations: relations.filter(({ confidence }) => confidence! >= minConfidence) };
  };
  return {
    name: 'learned',
    version: minConfidence === 0 ? version : `${version} >= ${minConfidence}`,
    maxLength: longestCaption,
    parse,
  };
}
