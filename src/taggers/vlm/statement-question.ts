import type { Reply } from '../../records/answer.js';
import type { Image } from '../../records/image.js';
import { type AnswerPart, answerProbabilities } from './answer-probabilities.js';
import { drawMarks } from './draw-marks.js';
import { type ImageQuestion, type Reading, textTokens } from './image-questions.js';
import { jsonObjectIn } from './read-json.js';
import { coordinatesText, type Frame, type Region, regionText, type Shown } from './regions.js';

/** A relation to look at again: whether it holds, holds the other way round, or neither. */
export interface Statement {
  readonly subject: Region;
  readonly predicate: string;
  readonly object: Region;
  /** Whether the relation is another one the other way round: riding, and not next to. */
  readonly isDirected: boolean;
}

/** What a model says of a statement, as probabilities that add up to 1. */
export interface Judged {
  readonly holds: number;
  readonly reversed: number;
  /** Whether the probabilities are those of the server, and not 1 and 0 of a bare answer. */
  readonly isMeasured: boolean;
}

/** The order of the statements, and the seed of the answer. */
export interface Turn {
  readonly isBackward: boolean;
  readonly seed: number;
}

export const STATEMENT_PROMPT =
  'Each picture is a part of one photograph. For each picture, say which of its statements is true. Answer with JSON only, for example {"1":"B","2":"A"}.';

const LETTERS = ['A', 'B', 'C'] as const;
type Meaning = 'holds' | 'reversed' | 'neither';
/** The margin around both boxes, as a share of the longer side of the box around them. */
const MARGIN = 0.15;
/** The alternatives of a letter to ask for: the letters, with and without a sign before them. */
const TOP_LOGPROBS = 8;

/** Makes the question which statements about pairs of boxes hold, each with a picture of both boxes. */
export function statementQuestion(
  statements: readonly Statement[],
  image: Image,
  { isBackward, seed }: Turn,
  shown: Shown,
): ImageQuestion<readonly Judged[]> {
  const frames = statements.map(({ subject, object }) => frameOf(subject, object, image));
  const choices = statements.map(({ isDirected }): Meaning[] => {
    const all: Meaning[] = isDirected ? ['holds', 'reversed', 'neither'] : ['holds', 'neither'];
    return isBackward ? all.reverse() : all;
  });
  const lines = (sent: Parameters<ImageQuestion<never>['text']>[0]) =>
    statements.flatMap(({ subject, object, predicate }, index) => {
      const regions = [subject, object].map((region) => regionText(region, frames[index]!, sent[index]!, shown));
      const named = [subject, object].map(({ id, label }) => `${label} ${id}`);
      const texts: Record<Meaning, string> = {
        holds: `${named[0]} ${predicate} ${named[1]}`,
        reversed: `${named[1]} ${predicate} ${named[0]}`,
        neither: 'none of these',
      };
      const options = choices[index]!.map((meaning, place) => `${LETTERS[place]}: ${texts[meaning]}`);
      return [`Picture ${index + 1}: ${regions.join(', ')}`, ...options];
    });
  const boxes = shown.marks === 'drawn' ? '' : ` Boxes are ${coordinatesText(shown.coordinates, 'picture')}.`;
  const text: ImageQuestion<never>['text'] = (sent) => [`${STATEMENT_PROMPT}${boxes}`, ...lines(sent)].join('\n');
  const likely = Object.fromEntries(statements.map((_, index) => [index + 1, 'A']));
  return {
    key: {
      statements: statements.map(({ subject, predicate, object }) => [subject.id, predicate, object.id]),
      labels: statements.map(({ subject, object }) => [subject.label, object.label]),
      boxes: statements.map(({ subject, object }) => [subject.box, object.box]),
      isBackward,
    },
    crops: frames.map(([left, top, w, h]) => ({ left, top, right: left + w, bottom: top + h })),
    text,
    ...(shown.marks === 'drawn' && {
      draw: (sent, index) => drawMarks(sent, [statements[index]!.subject, statements[index]!.object], frames[index]!),
    }),
    schema: {
      type: 'object',
      properties: Object.fromEntries(
        choices.map((all, index) => [index + 1, { type: 'string', enum: LETTERS.slice(0, all.length) }]),
      ),
      required: choices.map((_, index) => String(index + 1)),
      additionalProperties: false,
    },
    topLogprobs: TOP_LOGPROBS,
    seed,
    outputTokens: textTokens(JSON.stringify(likely)),
    read: (reply) => readLetters(reply, choices),
  };
}

/** Returns the part of the image around two boxes. */
function frameOf({ box: a }: Region, { box: b }: Region, { width, height }: Image): Frame {
  const [left, top] = [Math.min(a[0], b[0]), Math.min(a[1], b[1])];
  const right = Math.max(a[0] + a[2], b[0] + b[2]);
  const bottom = Math.max(a[1] + a[3], b[1] + b[3]);
  const margin = MARGIN * Math.max(right - left, bottom - top);
  const [x, y] = [Math.max(0, left - margin), Math.max(0, top - margin)];
  return [x, y, Math.min(width, right + margin) - x, Math.min(height, bottom + margin) - y];
}

function readLetters(reply: Reply, choices: readonly (readonly Meaning[])[]): Reading<readonly Judged[]> {
  const answer = jsonObjectIn(reply.text);
  if (!answer) return { problems: ['it is not a JSON object'] };
  const parts = answerProbabilities(reply, /"[A-C]"/g);
  const judged: Judged[] = [];
  for (const [index, meanings] of choices.entries()) {
    const letter = answer[index + 1];
    const place = LETTERS.indexOf(letter as (typeof LETTERS)[number]);
    if (place < 0 || place >= meanings.length)
      return {
        problems: [
          `picture ${index + 1} has the answer ${JSON.stringify(letter)?.slice(0, 40) ?? 'none'}, not a letter of its statements`,
        ],
      };
    const weights = parts?.length === choices.length ? letterWeights(parts[index]!, place) : undefined;
    const total = weights?.slice(0, meanings.length).reduce((sum, weight) => sum + weight, 0) ?? 0;
    const shareOf = (meaning: Meaning) => {
      const at = meanings.indexOf(meaning);
      if (at < 0) return 0;
      return weights && total > 0 ? weights[at]! / total : Number(at === place);
    };
    judged.push({ holds: shareOf('holds'), reversed: shareOf('reversed'), isMeasured: total > 0 });
  }
  const unasked = Object.keys(answer).find((key) => !(Number(key) >= 1 && Number(key) <= choices.length));
  return {
    value: judged,
    problems: unasked === undefined ? [] : [`it answers picture ${unasked.slice(0, 20)}, which was not sent`],
  };
}

/** Returns the probability of each letter at the place of an answer. */
function letterWeights({ tokens }: AnswerPart, answered: number): number[] | undefined {
  const letterOf = (token: string) => (LETTERS as readonly string[]).indexOf(token.replace(/[^A-C]/g, ''));
  const token = tokens.find((one) => letterOf(one.token) === answered);
  if (!token) return undefined;
  const weights = LETTERS.map(() => 0);
  for (const { token: other, logprob } of token.top ?? []) {
    const place = letterOf(other);
    if (place >= 0) weights[place]! += Math.exp(logprob);
  }
  weights[answered] = Math.max(weights[answered]!, Math.exp(token.logprob));
  // Without alternatives the rest belongs to the other letters.
  if (!token.top)
    for (const place of LETTERS.keys()) if (place !== answered) weights[place] = (1 - weights[answered]!) / 2;
  return weights;
}
