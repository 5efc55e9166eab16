import type { Reply } from '../../records/answer.js';
import type { Proposal } from '../../records/ports.js';
import { type ImageQuestion, type Reading, textTokens } from './image-questions.js';
import { isPair, namedPair, type RefusedPart } from './named-pair.js';
import { formCheck, jsonObjectIn } from './read-json.js';
import type { Region } from './regions.js';
import type { Pair } from './triplets.js';

/** The answer to a question for relations. */
export interface ProposalAnswer {
  readonly proposals: readonly Proposal[];
  /** Parts of the answer that are not used, by name. */
  readonly refused: readonly string[];
}

export const PROPOSAL_PROMPT =
  'For each pair of regions, say how the two are related in this image: at most one relation of place, such as "left of", "on" or "behind", and at most one action, such as "riding" or "looking at"; null if there is none or you are not sure. The subject comes first and may be either of the two. Answer with JSON only, for example {"Q1":{"place":["P1","on","H2"],"action":["P1","riding","H2"]},"Q2":{"place":["C4","left of","C3"],"action":null}}.';

const KINDS = ['place', 'action'] as const;

/** Makes the question how pairs of regions are related. */
export function proposalQuestion(
  pairs: readonly Pair[],
  regions: ReadonlyMap<number, Region>,
  predicates: readonly string[] | undefined,
  describe: Pick<ImageQuestion<ProposalAnswer>, 'text' | 'draw'> & { readonly key: unknown },
): ImageQuestion<ProposalAnswer> {
  const asked = new Map(pairs.map((pair, index) => [`Q${index + 1}`, pair]));
  const named = (index: number) => `${regions.get(index)!.label} ${regions.get(index)!.id}`;
  const lines = [...asked].map(([name, [first, second]]) => `${name} ${named(first)}, ${named(second)}`);
  const list = predicates ? [`Use only these relations: ${predicates.join(', ')}`] : [];
  const relation = {
    anyOf: [{ type: 'null' }, { type: 'array', items: { type: 'string' }, minItems: 3, maxItems: 3 }],
  };
  const relations = { place: relation, action: relation };
  const likely = [...asked].map(([name, [first, second]]) => [
    name,
    { place: [regions.get(first)!.id, 'next to', regions.get(second)!.id], action: null },
  ]);
  return {
    key: { pairs, regions: describe.key, predicates },
    text: (sent) => [describe.text(sent), ...list, 'Pairs:', ...lines].join('\n'),
    ...(describe.draw && { draw: describe.draw }),
    schema: {
      type: 'object',
      properties: Object.fromEntries(
        [...asked.keys()].map((name) => [
          name,
          { type: 'object', properties: relations, required: KINDS, additionalProperties: false },
        ]),
      ),
      required: [...asked.keys()],
      additionalProperties: false,
    },
    topLogprobs: 0,
    seed: 0,
    outputTokens: textTokens(JSON.stringify(Object.fromEntries(likely))),
    read: (reply) => readAnswer(reply, asked, regions),
  };
}

const listed = { type: ['array', 'null'], items: { type: 'string' }, minItems: 3, maxItems: 3 };
const formProblem = formCheck({
  type: 'object',
  additionalProperties: { type: 'object', properties: { place: listed, action: listed } },
});

function readAnswer(
  reply: Reply,
  asked: ReadonlyMap<string, Pair>,
  regions: ReadonlyMap<number, Region>,
): Reading<ProposalAnswer> {
  const answer = jsonObjectIn(reply.text);
  if (!answer) return { problems: ['it is not a JSON object'] };
  const problem = formProblem(answer);
  if (problem !== undefined) return { problems: [problem] };
  const missing = [...asked.keys()].find((name) => !Object.hasOwn(answer, name));
  if (missing !== undefined) return { problems: [`it has no answer to ${missing}`] };
  const proposals: Proposal[] = [];
  const refused: string[] = [];
  const problems: string[] = [];
  const refuse = ({ name, why }: RefusedPart) => {
    refused.push(name);
    problems.push(why);
  };
  type Answers = Readonly<Record<string, Partial<Record<(typeof KINDS)[number], [string, string, string] | null>>>>;
  for (const [name, relations] of Object.entries(answer as Answers)) {
    const pair = asked.get(name);
    if (!pair)
      refuse({ name: 'answer-not-asked', why: `it answers ${name.slice(0, 20)}, which is not one of the questions` });
    if (!pair) continue;
    for (const kind of KINDS) {
      const relation = relations[kind];
      if (!relation) continue;
      const [first, predicate, second] = relation;
      const named = namedPair([first, second], regions);
      if (!isPair(named)) refuse(named);
      else if (!pair.every((index) => named.includes(index)))
        refuse({ name: 'answer-with-other-region', why: `${name} is not about ${first} and ${second}` });
      else proposals.push({ subject: named[0], object: named[1], predicate });
    }
  }
  return { value: { proposals, refused }, problems };
}
