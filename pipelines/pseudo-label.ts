import Type from 'typebox';
import {
  baselineTagger,
  candidateSets,
  caption,
  type Flow,
  type ImageRecord,
  match,
  OptionError,
  pair,
  parse,
  parsed,
  parsedGraphFile,
  sample,
  sceneGraphs,
  tag,
} from '../src/index.js';
import { captionerOf, captionerOptions } from './captioner-options.js';
import { endpointOptions } from './endpoint-options.js';
import { parserOf, parserOptions } from './parser-options.js';

/** Options of every pipeline that makes relations from captions. */
export const pseudoLabelOptions = {
  ...captionerOptions,
  parsed: Type.Optional(
    Type.String({
      description: 'text graphs that another parser made, {"image id": [graph, …]}; instead of --captions',
    }),
  ),
  ...parserOptions,
  vocabulary: Type.Optional(
    Type.String({ description: 'coco80, objects365, or a JSON file of {category: [synonym, …]}' }),
  ),
  overlap: Type.Boolean({ default: false, description: 'only pairs whose boxes overlap' }),
  maxPairs: Type.Optional(Type.Integer({ minimum: 1, description: 'at most so many pairs an image' })),
  threshold: Type.Number({ default: 0.2, minimum: 0, maximum: 1, description: 'keep relations that score above this' }),
  sample: Type.Optional(Type.Number({ minimum: 0, maximum: 1, description: 'keep this share of the images' })),
  seed: Type.Integer({ default: 0, description: 'which images --sample keeps' }),
  limit: Type.Optional(Type.Integer({ minimum: 1, description: 'only the first so many images' })),
  compat: Type.Boolean({ default: false, description: 'the official behaviour, quirks included (docs/compat.md)' }),
  ...endpointOptions,
};

type PseudoLabelOptions = Type.Static<ReturnType<typeof Type.Object<typeof pseudoLabelOptions>>> & {
  /** The image folder, where there is one. */
  readonly images?: string;
};

/**
 * Detections to scene graphs: captions are read into text graphs, their phrases are matched to the image's categories,
 * boxes of related categories are paired, and the tagger says which relations hold.
 */
export function pseudoLabel(flow: Flow<ImageRecord>, vocabulary: string, options: PseudoLabelOptions): void {
  const { parsed: graphs, overlap, maxPairs, threshold, seed, compat } = options;
  if (graphs !== undefined && (options.captions !== undefined || options.captioner !== undefined)) {
    throw new OptionError(flow.graph.name, 'expected one of --captions, --captioner and --parsed');
  }
  const sampled = options.sample === undefined ? flow : flow.pipe(sample({ rate: options.sample, seed }));
  const read =
    graphs === undefined
      ? sampled.pipe(caption(captionerOf(flow.graph.name, options))).pipe(parse(parserOf(flow.graph.name, options)))
      : sampled.pipe(parsed(parsedGraphFile({ graphs })));
  const paired = read
    .pipe(match({ vocabulary: options.vocabulary ?? vocabulary, compat }))
    .pipe(pair({ overlap, compat, ...(maxPairs && { maxPairs }) }))
    .to(candidateSets());
  paired.pipe(tag(baselineTagger(), { threshold, compat })).to(sceneGraphs());
}
