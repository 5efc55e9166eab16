import {
  type Candidates,
  type Captioned,
  candidateSets,
  caption,
  type Flow,
  geometry,
  type ImageRecord,
  match,
  OptionError,
  pair,
  parse,
  parsed,
  parsedGraphFile,
  type Static,
  sample,
  sceneGraphs,
  Type,
  tag,
} from '../src/index.js';
import { DEFAULT_THRESHOLD } from '../src/operators/tag.js';
import { captionerOf, captionerOptions, checkNoCaptioner } from './captioner-options.js';
import { endpointOptions } from './endpoint-options.js';
import { inGroup, MAIN } from './option-groups.js';
import { parserOf, parserOptions } from './parser-options.js';
import { addRelations, addsRelations, proposalOptions } from './proposal-options.js';
import { taggerOf, taggerOptions, VLM } from './tagger-options.js';

/** The option `threshold` of pipelines that tag. */
const thresholdOption = Type.Optional(
  Type.Number({
    group: MAIN,
    minimum: 0,
    maximum: 1,
    description: `keep relations with a score above this (default: 0.5 for the baseline, else ${DEFAULT_THRESHOLD})`,
  }),
);

/** Options of every pipeline that derives relations from captions. */
export const pseudoLabelOptions = {
  ...captionerOptions,
  ...inGroup('Parsing', {
    ...parserOptions,
    parsed: Type.Optional(
      Type.String({
        argument: 'file',
        description: 'text graphs of another parser, {"image id": [graph, …]}, instead of --captions',
      }),
    ),
  }),
  ...inGroup('Matching and pairs', {
    vocabulary: Type.Optional(
      Type.String({
        argument: 'file',
        description:
          'more words for the categories, a JSON file of {category: [synonym, …]}; or the built-in list to prefer: coco80, objects365; default: words from the names of the categories',
      }),
    ),
    vocabularyOnly: Type.Boolean({
      default: false,
      description: 'only the category names and the words of --vocabulary, no words of relflow',
    }),
    overlap: Type.Boolean({ default: false, description: 'only pairs whose boxes overlap' }),
    maxPairs: Type.Optional(Type.Integer({ minimum: 1, description: 'maximum number of pairs per image' })),
    compat: Type.Boolean({ default: false, description: 'official behavior, quirks included (docs/compat.md)' }),
  }),
  ...taggerOptions,
  ...inGroup('Tagging', {
    threshold: thresholdOption,
    allWordings: Type.Boolean({
      default: false,
      description: "keep every wording of a fact about a pair: 'on' besides 'sitting on'",
    }),
    geometry: Type.Boolean({
      default: true,
      description: 'no relations that the boxes alone show, such as left of and on; always so with --compat',
    }),
  }),
  ...proposalOptions,
  ...inGroup('Selection', {
    limit: Type.Optional(Type.Integer({ group: MAIN, minimum: 1, description: 'read only the first n images' })),
    sample: Type.Optional(Type.Number({ minimum: 0, maximum: 1, description: 'keep this share of the images' })),
    seed: Type.Integer({ default: 0, description: 'seed of --sample' }),
  }),
  ...endpointOptions,
};

type PseudoLabelOptions = Static<ReturnType<typeof Type.Object<typeof pseudoLabelOptions>>> & {
  /** The image folder, which captioners and R-Taggers need. */
  readonly images?: string | readonly string[];
};

/**
 * Turns detections into scene graphs: captions are parsed into text graphs, their phrases are matched to the image's
 * categories, boxes of related categories are paired, and the tagger scores the relation texts of each pair.
 */
export function pseudoLabel(flow: Flow<ImageRecord>, officialVocabulary: string, options: PseudoLabelOptions): void {
  const { threshold, seed, compat } = options;
  if (options.parsed !== undefined && (options.captions !== undefined || options.captioner !== undefined)) {
    throw new OptionError(flow.graph.name, 'expected one of --captions, --captioner and --parsed');
  }
  const sampled = options.sample === undefined ? flow : flow.pipe(sample({ rate: options.sample, seed }));
  const paired = candidatesOf(sampled, officialVocabulary, options).to(candidateSets());
  const limit = threshold ?? (compat ? DEFAULT_THRESHOLD : undefined);
  const tagged = paired.pipe(
    tag(taggerOf(flow.graph.name, officialVocabulary, options), {
      compat,
      ...(options.allWordings && { allWordings: true }),
      ...(limit !== undefined && { threshold: limit }),
    }),
  );
  (options.geometry && !compat ? tagged.pipe(geometry()) : tagged).to(sceneGraphs());
}

/** Finds candidate relations: those that captions state, and those of the options that need no captions. */
function candidatesOf(
  flow: Flow<ImageRecord>,
  officialVocabulary: string,
  options: PseudoLabelOptions,
): Flow<ImageRecord & Captioned & Candidates> {
  const hasCaptions = [options.captions, options.captioner, options.parsed].some((given) => given !== undefined);
  if (!addsRelations(flow.graph.name, options)) return captionCandidates(flow, officialVocabulary, options);
  if (options.compat) throw new OptionError(flow.graph.name, '--propose and --predicates have no effect with --compat');
  if (!hasCaptions) checkNoCaptioner(flow.graph.name, options, options.tagger === VLM || options.propose);
  const known = hasCaptions ? captionCandidates(flow, officialVocabulary, options) : flow;
  return addRelations(flow.graph.name, known, options);
}

/** Finds the candidate relations that captions state. */
function captionCandidates(
  flow: Flow<ImageRecord>,
  officialVocabulary: string,
  options: PseudoLabelOptions,
): Flow<ImageRecord & Captioned & Candidates> {
  const { parsed: graphs, overlap, maxPairs, compat } = options;
  const sendsImages = options.tagger === VLM || options.propose;
  const read =
    graphs === undefined
      ? flow
          .pipe(caption(captionerOf(flow.graph.name, options, sendsImages)))
          .pipe(parse(parserOf(flow.graph.name, options)))
      : flow.pipe(parsed(parsedGraphFile({ graphs })));
  return read
    .pipe(
      match(
        compat
          ? { vocabulary: options.vocabulary ?? officialVocabulary, compat }
          : {
              vocabularyOnly: options.vocabularyOnly ?? false,
              ...(options.vocabulary !== undefined && { vocabulary: options.vocabulary }),
            },
      ),
    )
    .pipe(pair({ overlap, compat, ...(maxPairs && { maxPairs }) }));
}
