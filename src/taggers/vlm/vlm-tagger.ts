import { requireAnswers } from '../../endpoints/require-answers.js';
import { type Box, relativeGap } from '../../records/box.js';
import type { Image } from '../../records/image.js';
import type { ProblemCounter, RelationTagger, TagRequest } from '../../records/ports.js';
import { predicateKind } from '../../vocabulary/predicate-kind.js';
import { describeRegions } from './describe-regions.js';
import { type Ask, ImageQuestions, type ImageQuestionsOptions } from './image-questions.js';
import { judgeStatements } from './judge-statements.js';
import { nameRegions, type Region, type Shown } from './regions.js';
import { checkChoice, checkShown, type ShownOptions } from './shown-options.js';
import { STATEMENT_PROMPT, type Statement } from './statement-question.js';
import { type AnsweredPair, TRIPLET_PROMPT, tripletQuestion } from './triplet-question.js';
import { groupTriplets, type Pair, type Triplet, type TripletGroup } from './triplets.js';

/** Options of `vlmTagger`. */
export interface VlmTaggerOptions extends ImageQuestionsOptions, ShownOptions {
  /**
   * Which answers get a second look, a question with a picture of both boxes: those that are `unsure` (default), since there are more than 5
   * possible pairs or the boxes are small or far apart; `all`, or `none`.
   */
  readonly secondLook?: 'unsure' | 'all' | 'none';
}

const name = 'vlm-tagger';
/** Above this number of possible pairs an answer is unsure. */
const SURE_PAIRS = 5;
/** Below this share of the image's area a box is small. */
const SMALL_SHARE = 0.003;
/** Above this gap, in units of the mean of their sides, boxes are far apart. */
const FAR = 1;
/** The maximum number of statements of a second look at an image. */
const MAX_STATEMENTS = 4;
/** The confidence of an answer of a model that gives no probabilities. */
const UNMEASURED = 0.85;
/** An answer that gets a second look counts at most as much as one of this probability, since models are too sure of the first. */
const FIRST_LOOK = 0.7;
/** No answer of a model is more certain than this. */
const MOST_CERTAIN = 0.99;

/**
 * Returns a tagger that asks a vision-language model with a chat completion API which pairs of boxes the relation texts hold
 * for. One question is about one text and two categories, "T1 person riding horse: which of P1,P2 with H3,H4?"; a request has
 * several questions and at most 24 boxes. Answers that are not sure get a second look, a question with a picture of both boxes. Requests,
 * answers and costs are handled as for captioners.
 *
 * The confidence of a relation is the probability of the answer's tokens where the server gives it. Else an answer has 0.85,
 * and an answer of the second look the share of several answers.
 *
 * `tag` throws a RecordError `no-answer` if the model does not answer, `answer-refused` or `unreadable-answer` if its answer
 * cannot be used, also when asked again, and an EndpointError if no more requests are sent. Parts of an answer that were not
 * asked for are counted: `answer-with-unknown-region`, `answer-with-self-relation`, `answer-with-other-region`,
 * `answer-not-asked`, `answer-repeated`, `answer-not-a-candidate`.
 *
 * @throws OptionError if options are missing, out of range or incompatible
 *
 * @example
 * ```ts
 * import { tag, vlmTagger } from 'relflow';
 *
 * const tagger = vlmTagger({
 *   endpointUrl: 'http://127.0.0.1:8000',
 *   model: 'Qwen/Qwen3-VL-8B-Instruct',
 *   images: 'val2017',
 *   side: 768,
 * });
 * const operator = tag(tagger, { threshold: 0.7 });
 * ```
 */
export function vlmTagger(options: VlmTaggerOptions): RelationTagger {
  const { secondLook = 'unsure' } = options;
  const shown = checkShown(name, options);
  checkChoice(name, 'secondLook', secondLook, ['unsure', 'all', 'none']);
  const questions = new ImageQuestions(name, `${TRIPLET_PROMPT}\n${STATEMENT_PROMPT}`, { ...shown }, options);
  const score = (request: TagRequest, ask: Ask, count: ProblemCounter) =>
    scoreImage(request, ask, { ...shown, secondLook, count });
  return {
    name,
    version: '1',
    baseline: false,
    threshold: 0.5,
    options: { ...questions.options, secondLook },
    imagesAtOnce: questions.imagesAtOnce,
    usage: () => questions.usage(),
    close: () => questions.close(),
    forecast: (request) => questions.forecast(request.image, (ask) => score(request, ask, () => {})),
    tag: async (request, signal, count = () => {}) =>
      score(request, await questions.asker(request.image, signal, count), count),
  };
}

interface Look extends Shown {
  readonly secondLook: 'unsure' | 'all' | 'none';
  readonly count: ProblemCounter;
}

/** Asks about all triplets of an image, and again about those answers that are unsure. */
async function scoreImage(request: TagRequest, ask: Ask, look: Look): Promise<Float32Array> {
  const { image, detections, pairs, texts } = request;
  const groups = groupTriplets(pairs, detections);
  const regions = nameRegions(
    request,
    groups.flatMap((group) => group.regions),
  );
  const settled = await Promise.allSettled(groups.map((group) => askGroup(group, regions, image, ask, look)));
  const answered = requireAnswers(name, image, settled, 'answers').flat();
  const scores = new Scores(pairs, texts);
  for (const { triplet, pair, probability = UNMEASURED } of answered) scores.set(pair, triplet.predicate, probability);
  const unsure =
    look.secondLook === 'none' ? [] : answered.filter((one) => look.secondLook === 'all' || isUnsure(one, request));
  const chosen = unsure
    .sort((a, b) => (a.probability ?? UNMEASURED) - (b.probability ?? UNMEASURED))
    .slice(0, MAX_STATEMENTS);
  if (chosen.length === 0) return scores.values;
  const statements = chosen.map(({ triplet, pair: [subject, object] }): Statement => {
    const { predicate } = triplet;
    return {
      subject: regions.get(subject)!,
      predicate,
      object: regions.get(object)!,
      isDirected: !isMutual(predicate),
    };
  });
  look.count('second-looks', chosen.length);
  const looks = await Promise.allSettled([judgeStatements(statements, image, ask, look)]);
  const [judged] = requireAnswers(name, image, looks, 'answers');
  chosen.forEach(({ triplet, pair: [subject, object] }, index) => {
    const found = judged?.[index];
    if (!found) return;
    const before = Math.min(FIRST_LOOK, chosen[index]!.probability ?? UNMEASURED);
    scores.set([subject, object], triplet.predicate, together(before, found.holds));
    if (
      !answered.some(
        ({ triplet: other, pair: [s, o] }) => other.predicate === triplet.predicate && s === object && o === subject,
      )
    )
      scores.set([object, subject], triplet.predicate, found.reversed);
  });
  return scores.values;
}

/** Returns the probability of what two answers say with these probabilities, as if their errors were independent. */
const together = (p: number, q: number): number => (p * q) / (p * q + (1 - p) * (1 - q));

/** Asks about the triplets of one request. Without an answer yet, in a forecast, one pair of each is expected. */
async function askGroup(
  { triplets, regions: indices }: TripletGroup,
  regions: ReadonlyMap<number, Region>,
  image: Image,
  ask: Ask,
  look: Look,
): Promise<readonly AnsweredPair[]> {
  const described = describeRegions(
    TRIPLET_PROMPT,
    indices.map((index) => regions.get(index)!),
    image,
    look,
  );
  const answer = await ask(tripletQuestion(triplets, regions, described));
  for (const refused of answer?.refused ?? []) look.count(refused);
  return answer?.pairs ?? triplets.map((triplet) => ({ triplet, pair: closestPair(triplet, regions) }));
}

/** Returns the pair with the smallest box around it, which is often the one that a text is about. */
function closestPair({ pairs }: Triplet, regions: ReadonlyMap<number, Region>): Pair {
  const spanOf = ([subject, object]: Pair) => {
    const [a, b] = [regions.get(subject)!.box, regions.get(object)!.box];
    const sideOf = (axis: 0 | 1) =>
      Math.max(a[axis] + a[axis + 2]!, b[axis] + b[axis + 2]!) - Math.min(a[axis], b[axis]);
    return sideOf(0) * sideOf(1);
  };
  return pairs.reduce((best, pair) => (spanOf(pair) < spanOf(best) ? pair : best));
}

function isUnsure({ triplet, pair }: AnsweredPair, { image, detections }: TagRequest): boolean {
  if (triplet.possible > SURE_PAIRS) return true;
  const [a, b] = pair.map((index) => detections[index]!.box) as [Box, Box];
  const isSmall = [a, b].some(([, , w, h]) => w * h < SMALL_SHARE * image.width * image.height);
  return isSmall || relativeGap(a, b) > FAR;
}
/** Returns whether a relation is the same one the other way round. */
const isMutual = (predicate: string): boolean => predicateKind(predicate) === 'next to' || /\bwith\b/i.test(predicate);

/** Scores of shape [pairs, texts], of which only those are set that a model answered. */
class Scores {
  readonly values: Float32Array;
  readonly #columns: ReadonlyMap<string, number>;
  readonly #rows: ReadonlyMap<string, number>;
  readonly #pairs: TagRequest['pairs'];

  constructor(pairs: TagRequest['pairs'], texts: readonly string[]) {
    this.values = new Float32Array(pairs.length * texts.length);
    this.#pairs = pairs;
    this.#columns = new Map(texts.map((text, column) => [text, column]));
    this.#rows = new Map(pairs.map(({ subject, object }, row) => [`${subject} ${object}`, row]));
  }

  /** Sets the confidence of a candidate; of what is none it does nothing. */
  set([subject, object]: Pair, text: string, confidence: number): void {
    const row = this.#rows.get(`${subject} ${object}`);
    if (row === undefined || !this.#pairs[row]!.texts.some((one) => one.text === text)) return;
    this.values[row * this.#columns.size + this.#columns.get(text)!] = Math.min(MOST_CERTAIN, confidence);
  }
}
