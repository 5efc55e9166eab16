import { readFileSync } from 'node:fs';
import type { TextParser } from '../../records/ports.js';
import type { TextGraph } from '../../records/text-graph.js';
import { longestCaption } from '../rule-parser.js';
import { assembleGraph } from './assemble-graph.js';
import { CaptionReader, maxWords } from './caption-reader.js';
import { captionTokens, repairedWords } from './caption-tokens.js';
import { Kernels } from './kernels/kernels.js';
import { decodeModel, type ParserModel } from './parser-model.js';
import { Speller } from './speller.js';

/** Room for the parameters and for the activations of the longest caption. */
const memoryBytes = 64 << 20;

/** A parser of English captions that learned from graphs that people made of captions of Visual Genome (FACTUAL). */
export function learnedParser(): TextParser {
  const kernels = new Kernels(memoryBytes);
  return parserOf(decodeModel(readFileSync(new URL('parser.model', import.meta.url)), kernels), kernels);
}

/** @param kernels the one that the model lies in */
export function parserOf(model: ParserModel, kernels: Kernels): TextParser {
  const speller = new Speller(model.counts);
  const reader = new CaptionReader(kernels, model);
  const parse = (caption: string): TextGraph => {
    const tokens = captionTokens(caption, longestCaption).slice(0, maxWords);
    const words = repairedWords(tokens, speller);
    return assembleGraph(caption, tokens, words, reader.read(words), model.forms);
  };
  return { name: 'learned', version: '1', maxLength: longestCaption, parse };
}
