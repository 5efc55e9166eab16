import { requireAnswers } from '../../endpoints/require-answers.js';
import type { ProblemCounter, Proposal, ProposeRequest, RelationProposer } from '../../records/ports.js';
import { describeRegions } from './describe-regions.js';
import { type Ask, ImageQuestions, type ImageQuestionsOptions } from './image-questions.js';
import { PROPOSAL_PROMPT, proposalQuestion } from './proposal-question.js';
import { ascending, MAX_REGIONS, nameRegions, type Shown } from './regions.js';
import { checkShown, type ShownOptions } from './shown-options.js';
import type { Pair } from './triplets.js';

/** Options of `vlmProposer`. */
export interface VlmProposerOptions extends ImageQuestionsOptions, ShownOptions {}

const name = 'vlm-proposer';

/**
 * Returns a proposer that asks a vision-language model with a chat completion API how pairs of boxes are related: at most one
 * relation of place and one action for each pair. Requests, answers and costs are handled as for captioners.
 *
 * `propose` throws a RecordError `no-answer` if the model does not answer, `answer-refused` or `unreadable-answer` if its answer
 * cannot be used, also when asked again, and an EndpointError if no more requests are sent. Parts of an answer about other boxes
 * than those of its question are counted: `answer-with-unknown-region`, `answer-with-self-relation`,
 * `answer-with-other-region`, `answer-not-asked`.
 *
 * @throws OptionError if options are missing, out of range or incompatible
 *
 * @example
 * ```ts
 * import { propose, vlmProposer } from 'relflow';
 *
 * const proposer = vlmProposer({
 *   endpointUrl: 'http://127.0.0.1:8000',
 *   model: 'Qwen/Qwen3-VL-8B-Instruct',
 *   images: 'val2017',
 * });
 * const operator = propose(proposer, { maxPairs: 12 });
 * ```
 */
export function vlmProposer(options: VlmProposerOptions): RelationProposer {
  const shown = checkShown(name, options);
  const questions = new ImageQuestions(name, PROPOSAL_PROMPT, { ...shown }, options);
  return {
    name,
    version: '1',
    options: questions.options,
    imagesAtOnce: questions.imagesAtOnce,
    usage: () => questions.usage(),
    close: () => questions.close(),
    forecast: (request) => questions.forecast(request.image, (ask) => proposeAll(request, ask, shown, () => {})),
    propose: async (request, signal, count = () => {}) =>
      proposeAll(request, await questions.asker(request.image, signal, count), shown, count),
  };
}

/** Asks about all pairs, those of at most `MAX_REGIONS` regions at once. */
async function proposeAll(
  request: ProposeRequest,
  ask: Ask,
  shown: Shown,
  count: ProblemCounter,
): Promise<readonly Proposal[]> {
  const { image, pairs, predicates } = request;
  const regions = nameRegions(request, pairs.flat());
  const questions = divide(pairs).map((group) => {
    const own = new Map(ascending(group.flat()).map((index) => [index, regions.get(index)!]));
    const described = describeRegions(PROPOSAL_PROMPT, [...own.values()], image, shown);
    return proposalQuestion(group, own, predicates, described);
  });
  const settled = await Promise.allSettled(questions.map((question) => ask(question)));
  const answers = requireAnswers(name, image, settled, 'answers');
  for (const refused of answers.flatMap((answer) => answer?.refused ?? [])) count(refused);
  return answers.flatMap((answer) => answer?.proposals ?? []);
}

/** Divides pairs into groups of at most `MAX_REGIONS` regions, in their order. */
function divide(pairs: readonly Pair[]): Pair[][] {
  const groups: Pair[][] = [];
  let regions = new Set<number>();
  for (const pair of pairs) {
    const together = new Set([...regions, ...pair]);
    if (groups.length === 0 || together.size > MAX_REGIONS) {
      groups.push([pair]);
      regions = new Set(pair);
    } else {
      groups.at(-1)!.push(pair);
      regions = together;
    }
  }
  return groups;
}
