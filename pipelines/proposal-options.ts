import { recipeFlagName } from '../src/graph/recipe.js';
import {
  candidates,
  type Flow,
  type ImageRecord,
  loadPredicates,
  OptionError,
  propose,
  type Static,
  Type,
  vlmProposer,
} from '../src/index.js';
import { type EndpointOptions, endpointPolicy, given } from './endpoint-options.js';
import { inGroup } from './option-groups.js';
import { shownOptions, VLM } from './tagger-options.js';

/** Options of every pipeline that can find relations that no caption states. */
export const proposalOptions = inGroup('Relations without captions', {
  propose: Type.Boolean({
    default: false,
    description: 'ask a vision-language model for more relations, which boxes then check; needs --images',
  }),
  proposePairs: Type.Optional(
    Type.Integer({ minimum: 1, description: 'maximum number of pairs per image for --propose (default: 12)' }),
  ),
  proposerModel: Type.Optional(
    Type.String({ argument: 'name', description: 'model of --propose; default: --tagger-model with --tagger vlm' }),
  ),
  proposerEndpointUrl: Type.Optional(
    Type.String({
      argument: 'url',
      description: 'address of the server of --propose; default: --tagger-endpoint-url with --tagger vlm',
    }),
  ),
  predicates: Type.Optional(
    Type.String({
      argument: 'file',
      description:
        'list of predicates, one a line or JSON: those that --propose may use; else candidates for all pairs that are close, for which captions are not needed',
    }),
  ),
  minFrequency: Type.Optional(
    Type.Integer({ minimum: 1, description: 'leave out predicates that a --predicates file of counts has less often' }),
  ),
});

type ProposalOptions = Static<ReturnType<typeof Type.Object<typeof proposalOptions>>> &
  EndpointOptions & {
    readonly tagger?: string;
    readonly taggerModel?: string;
    readonly taggerEndpointUrl?: string;
    readonly taggerProvider?: string;
    readonly coordinates?: string;
    readonly marks?: string;
    readonly side?: number;
    readonly quality?: number;
    readonly maxPairs?: number;
    readonly images?: string | readonly string[];
  };

/**
 * Returns whether the options add relations that no caption states.
 *
 * @param where the name of the pipeline in messages
 * @throws OptionError when an option has no effect
 */
export function addsRelations(where: string, options: ProposalOptions): boolean {
  const { propose: proposes, predicates } = options;
  const unused = proposes
    ? undefined
    : (['proposePairs', 'proposerModel', 'proposerEndpointUrl'] as const).find((key) => options[key] !== undefined);
  if (unused) throw new OptionError(where, `--${recipeFlagName(unused)} has no effect without --propose`);
  if (predicates === undefined && options.minFrequency !== undefined)
    throw new OptionError(where, '--min-frequency has no effect without --predicates');
  return proposes || predicates !== undefined;
}

/**
 * Adds the candidates that the options name to those of captions, if there are any.
 *
 * @param where the name of the pipeline in messages
 * @throws OptionError when options are missing or contradict each other
 */
export function addRelations(where: string, flow: Flow<ImageRecord>, options: ProposalOptions) {
  const { propose: proposes, proposePairs, predicates: file, minFrequency, maxPairs } = options;
  const listed = file === undefined ? undefined : loadPredicates(file, minFrequency);
  if (!proposes) {
    if (options.tagger === undefined)
      throw new OptionError(
        where,
        '--predicates needs --tagger or --propose: the baseline knows only what captions say',
      );
    return flow.pipe(candidates({ predicates: listed!, ...(maxPairs && { maxPairs }) }));
  }
  return flow.pipe(
    propose(vlmProposer(modelOf(where, options)), {
      ...(proposePairs && { maxPairs: proposePairs }),
      ...(listed && { predicates: [...new Set(listed.map(({ predicate }) => predicate))] }),
    }),
  );
}

function modelOf(where: string, options: ProposalOptions): Parameters<typeof vlmProposer>[0] {
  const { images, tagger, taggerModel, taggerEndpointUrl, taggerProvider: provider } = options;
  if (images === undefined) throw new OptionError(where, '--propose needs --images, the image folder');
  const isSame = tagger === VLM;
  const model = options.proposerModel ?? (isSame ? taggerModel : undefined);
  const endpointUrl = options.proposerEndpointUrl ?? (isSame ? taggerEndpointUrl : undefined);
  if (model === undefined && endpointUrl === undefined)
    throw new OptionError(where, '--propose needs --proposer-model, --proposer-endpoint-url or both');
  return {
    images,
    ...endpointPolicy(options),
    ...given({ model, endpointUrl, provider: endpointUrl === undefined ? provider : undefined }, [
      'model',
      'endpointUrl',
      'provider',
    ]),
    ...shownOptions(options),
  };
}
