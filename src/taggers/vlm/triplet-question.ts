import type { Reply } from '../../records/answer.js';
import { answerProbabilities } from './answer-probabilities.js';
import { type ImageQuestion, type Reading, textTokens } from './image-questions.js';
import { isPair, namedPair, type RefusedPart } from './named-pair.js';
import { formCheck, jsonObjectIn } from './read-json.js';
import type { Region } from './regions.js';
import type { Pair, Triplet } from './triplets.js';

/** A pair for which the model says that the text of a triplet holds. */
export interface AnsweredPair {
  readonly triplet: Triplet;
  readonly pair: Pair;
  /** The probability of the answer's tokens; undefined without log probabilities. */
  readonly probability?: number;
}

/** The answer to a question about triplets. */
export interface TripletAnswer {
  readonly pairs: readonly AnsweredPair[];
  /** Answers that were refused, by name. */
  readonly refused: readonly string[];
}

export const TRIPLET_PROMPT = `For each question, list every pair of regions for which the statement is true in this image, the subject first. Look at which of several things of one kind it is true of; do not list the others. Answer with JSON only, for example {"T1":[["P1","H3"]],"T2":[]}; an empty list says that it is true of no pair.`;

/** Makes the question which pairs of regions the texts of triplets hold for. */
export function tripletQuestion(
  triplets: readonly Triplet[],
  regions: ReadonlyMap<number, Region>,
  describe: Pick<ImageQuestion<TripletAnswer>, 'text' | 'draw'> & { readonly key: unknown },
): ImageQuestion<TripletAnswer> {
  const asked = triplets.map((triplet, index) => ({ name: `T${index + 1}`, triplet }));
  const idsOf = (indices: readonly number[]) => indices.map((index) => regions.get(index)!.id);
  const lines = asked.map(({ name, triplet: { predicate, subjects, objects } }) => {
    const [subject, object] = [regions.get(subjects[0]!)!.label, regions.get(objects[0]!)!.label];
    return `${name} ${subject} ${predicate} ${object}: which of ${idsOf(subjects)} with ${idsOf(objects)}?`;
  });
  const text: ImageQuestion<TripletAnswer>['text'] = (sent) => [describe.text(sent), 'Questions:', ...lines].join('\n');
  const likely = Object.fromEntries(
    asked.map(({ name, triplet }) => [name, [idsOf([triplet.subjects[0]!, triplet.objects[0]!])]]),
  );
  return {
    key: { triplets: asked.map(({ triplet }) => [triplet.predicate, triplet.pairs]), regions: describe.key },
    text,
    ...(describe.draw && { draw: describe.draw }),
    schema: {
      type: 'object',
      properties: Object.fromEntries(
        asked.map(({ name, triplet }) => [name, pairsSchema(idsOf([...triplet.subjects, ...triplet.objects]))]),
      ),
      required: asked.map(({ name }) => name),
      additionalProperties: false,
    },
    topLogprobs: 0,
    seed: 0,
    outputTokens: textTokens(JSON.stringify(likely)),
    read: (reply) => readAnswer(reply, asked, regions),
  };
}

const pairsSchema = (ids: readonly string[]) => ({
  type: 'array',
  items: { type: 'array', items: { type: 'string', enum: [...new Set(ids)] }, minItems: 2, maxItems: 2 },
});

const formProblem = formCheck({
  type: 'object',
  additionalProperties: {
    type: 'array',
    items: { type: 'array', items: { type: 'string' }, minItems: 2, maxItems: 2 },
  },
});

interface Asked {
  readonly name: string;
  readonly triplet: Triplet;
}

function readAnswer(
  reply: Reply,
  asked: readonly Asked[],
  regions: ReadonlyMap<number, Region>,
): Reading<TripletAnswer> {
  const answer = jsonObjectIn(reply.text);
  if (!answer) return { problems: ['it is not a JSON object'] };
  const problem = formProblem(answer);
  if (problem !== undefined) return { problems: [problem] };
  const missing = asked.find(({ name }) => !Object.hasOwn(answer, name));
  if (missing) return { problems: [`it has no answer to ${missing.name}`] };
  const probabilities = pairProbabilities(reply);
  const pairs: AnsweredPair[] = [];
  const refused: string[] = [];
  const problems: string[] = [];
  const refuse = ({ name, why }: RefusedPart) => {
    refused.push(name);
    problems.push(why);
  };
  const tripletOf = new Map(asked.map(({ name, triplet }) => [name, triplet]));
  const seen = new Set<string>();
  let place = 0;
  for (const [name, listed] of Object.entries(answer as Record<string, [string, string][]>)) {
    const triplet = tripletOf.get(name);
    if (!triplet)
      refuse({ name: 'answer-not-asked', why: `it answers ${name.slice(0, 20)}, which is not one of the questions` });
    for (const ids of listed) {
      const probability = probabilities?.[place++];
      if (!triplet) continue;
      const named = namedPair(ids, regions);
      if (!isPair(named)) {
        refuse(named);
        continue;
      }
      const [subject, object] = named;
      const key = `${name} ${subject} ${object}`;
      if (!triplet.subjects.includes(subject) || !triplet.objects.includes(object))
        refuse({ name: 'answer-with-other-region', why: `${name} is not about ${ids[0]} with ${ids[1]}` });
      // The model cannot know these two.
      else if (seen.has(key)) refused.push('answer-repeated');
      else if (!triplet.pairs.some(([s, o]) => s === subject && o === object)) refused.push('answer-not-a-candidate');
      else pairs.push({ triplet, pair: named, ...(probability !== undefined && { probability }) });
      seen.add(key);
    }
  }
  return { value: { pairs, refused }, problems };
}

/** Returns the probability of each pair of ids in an answer, in the order of the text. */
function pairProbabilities(reply: Reply): (number | undefined)[] | undefined {
  return answerProbabilities(reply, /\[\s*"[^"]*"\s*,\s*"[^"]*"\s*\]/g)?.map(({ probability }) => probability);
}
