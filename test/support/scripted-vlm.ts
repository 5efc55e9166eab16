import sharp from 'sharp';
import type { Scene } from '../../scripts/scenes/scene.js';
import { Random } from '../../scripts/scenes/scene-random.js';
import type { ChatAnswer } from './model-server.js';

/** Errors that a scripted model makes, as shares of its answers. */
export interface ScriptedErrors {
  /** Names another pair of the same question instead of a true one. */
  readonly wrongInstance?: number;
  /** Gives subject and object in the other order, where both have the categories for it. */
  readonly swapped?: number;
  /** Adds a region that does not exist, in the first answer only. */
  readonly invented?: number;
  /** Adds a region that does not exist, also when asked again. */
  readonly stubborn?: number;
  /** Answers with prose instead of JSON, in the first answer only. */
  readonly prose?: number;
  readonly refusal?: number;
  /** Says a false relation of place instead of a true one, where it knows one that boxes can tell. */
  readonly falsePlace?: number;
}

export interface ScriptedVlmOptions {
  readonly errors?: ScriptedErrors;
  /** Whether the server gives log probabilities; it otherwise refuses to. Default true. */
  readonly logprobs?: boolean;
  /** Whether the server knows JSON schemas; it otherwise refuses the request. Default true. */
  readonly jsonSchema?: boolean;
}

interface Message {
  readonly content:
    | string
    | readonly { readonly type: string; readonly text?: string; readonly image_url?: { readonly url: string } }[];
}

interface RequestBody {
  readonly messages: readonly Message[];
  readonly response_format?: unknown;
  readonly logprobs?: boolean;
  readonly top_logprobs?: number;
  readonly seed?: number;
}

type Ids = ReadonlyMap<string, number>;

/**
 * A vision-language model that knows the drawn scenes: it reads which scene is sent from the color of its image (see
 * `paintScenes`), and answers questions about regions by the scene's relations, with errors on command. Equal requests have equal
 * answers.
 */
export class ScriptedVlm {
  readonly #scenes: readonly Scene[];
  readonly #options: ScriptedVlmOptions;
  /** Regions by scene: a crop shows them by their names. */
  readonly #regions = new Map<number, Map<string, number>>();

  /** Relations of place that it named, by whether they hold. */
  rightPlaces = 0;
  wrongPlaces = 0;

  constructor(scenes: readonly Scene[], options: ScriptedVlmOptions = {}) {
    this.#scenes = scenes;
    this.#options = options;
  }

  readonly chat = async (body: Readonly<Record<string, unknown>>): Promise<ChatAnswer> => {
    const { messages, response_format: format, logprobs = false, seed = 0 } = body as unknown as RequestBody;
    const { logprobs: givesLogprobs = true, jsonSchema = true, errors = {} } = this.#options;
    if (format !== undefined && !jsonSchema)
      return { status: 400, error: 'response_format json_schema is not supported' };
    if (logprobs && !givesLogprobs) return { status: 400, error: 'logprobs are not available for this model' };
    const parts = messages[0]!.content as Exclude<Message['content'], string>;
    const images = parts.flatMap(({ image_url: image }) =>
      image ? [Buffer.from(image.url.split(',')[1]!, 'base64')] : [],
    );
    const text = parts.find(({ type }) => type === 'text')!.text!;
    const place = await sceneOf(images[0]!);
    const scene = this.#scenes[place]!;
    const random = new Random(scene.id, text, seed, messages.length);
    const isFirst = messages.length === 1;
    const tokens = await inputTokens(images, messages);
    const say = (content: string, certain?: ReadonlyMap<number, number>): ChatAnswer => ({
      content,
      tokens: { input: tokens, output: pretokens(content) },
      ...(logprobs && { logprobs: { content: tokensOf(content, certain ?? new Map()) } }),
    });
    if (random.chance(errors.refusal ?? 0))
      return { ...say(''), refusal: 'I cannot help with this image.' } as ChatAnswer;
    if (isFirst && random.chance(errors.prose ?? 0)) return say('The person in front seems to be riding the horse.');
    if (text.includes('\nPairs:\n')) return this.#propose(scene, text, random, say);
    return text.includes('Picture 1:')
      ? this.#choose(scene, text, random, say)
      : this.#list(scene, text, random, isFirst, say);
  };

  /** Answers questions about triplets. */
  #list(
    scene: Scene,
    text: string,
    random: Random,
    isFirst: boolean,
    say: (content: string, certain?: ReadonlyMap<number, number>) => ChatAnswer,
  ): ChatAnswer {
    const { errors = {} } = this.#options;
    const ids = this.#learn(scene, text);
    const answer: Record<string, string[][]> = {};
    const certainties: number[] = [];
    for (const [, name, statement, subjects, objects] of text.matchAll(/^(T\d+) (.+): which of (.+) with (.+)\?$/gm)) {
      const predicate = predicateOf(scene, ids, statement!, subjects!, objects!);
      const all = subjects!.split(',').flatMap((s) => objects!.split(',').flatMap((o) => (s === o ? [] : [[s, o]])));
      const holds = ([s, o]: string[]) => isTrue(scene, ids.get(s!)!, predicate, ids.get(o!)!);
      const others = all.filter((pair) => !holds(pair));
      answer[name!] = all.filter(holds).map((pair) => {
        // Where there is one pair, a model cannot take another one.
        const noise = others.length > 0 ? (errors.wrongInstance ?? 0) : 0;
        certainties.push(1 - noise);
        if (random.chance(noise)) return random.pick(others);
        return random.chance(errors.swapped ?? 0) ? [pair[1]!, pair[0]!] : pair;
      });
      if (random.chance((isFirst ? errors.invented : 0) ?? 0) || random.chance(errors.stubborn ?? 0)) {
        answer[name!]!.push([subjects!.split(',')[0]!, 'X99']);
        certainties.push(1);
      }
    }
    const content = JSON.stringify(answer);
    const pairs = [...content.matchAll(/\["[^"]*","/g)];
    const certain = new Map(pairs.map((match, index) => [match.index + 2, certainties[index]!]));
    return say(content, certain);
  }

  /** Names relations of pairs: one of place, true or false, and an action of the scene. */
  #propose(scene: Scene, text: string, random: Random, say: (content: string) => ChatAnswer): ChatAnswer {
    const { errors = {} } = this.#options;
    const ids = this.#learn(scene, text);
    const answer: Record<string, Record<string, string[] | null>> = {};
    for (const [, name, first, second] of text.matchAll(/^(Q\d+) [a-z ]+ ([A-Z]\d+), [a-z ]+ ([A-Z]\d+)$/gm)) {
      const known = [[first!, second!] as const, [second!, first!] as const].flatMap(([s, o]) =>
        scene.relations.flatMap(({ subject, object, predicate }) =>
          subject === ids.get(s) && object === ids.get(o) ? [[s, predicate, o]] : [],
        ),
      );
      const isPlace = ([, predicate]: string[]) => PLACES.has(predicate!);
      const place = known.find(isPlace) ?? sides(scene, ids, first!, second!);
      const wrong = place && random.chance(errors.falsePlace ?? 0) ? falsePlace(scene, ids, place) : undefined;
      if (wrong) this.wrongPlaces++;
      else if (place) this.rightPlaces++;
      answer[name!] = { place: wrong ?? place ?? null, action: known.find((one) => !isPlace(one)) ?? null };
    }
    return say(JSON.stringify(answer));
  }

  /** Answers statements about pictures. */
  #choose(
    scene: Scene,
    text: string,
    random: Random,
    say: (content: string, certain?: ReadonlyMap<number, number>) => ChatAnswer,
  ): ChatAnswer {
    const { errors = {} } = this.#options;
    const ids = this.#regions.get(scene.id)!;
    const answer: Record<string, string> = {};
    for (const [, picture, , lines] of text.matchAll(/^Picture (\d+): (.+)\n((?:[A-C]: .+\n?)+)/gm)) {
      const options = [...lines!.matchAll(/^([A-C]): (.+)$/gm)].map(([, letter, statement]) => ({
        letter: letter!,
        statement: statement!,
      }));
      const right =
        options.find(({ statement }) => statementHolds(scene, ids, statement)) ??
        options.find(({ statement }) => statement === 'none of these')!;
      const wrong = options.filter((option) => option !== right);
      answer[picture!] = (random.chance(errors.wrongInstance ?? 0) ? random.pick(wrong) : right).letter;
    }
    const content = JSON.stringify(answer);
    const certain = new Map(
      [...content.matchAll(/"[A-C]"/g)].map((match) => [match.index + 1, 1 - (errors.wrongInstance ?? 0)]),
    );
    return say(content, certain);
  }

  /** Finds the objects of a list of regions by their category and box. */
  #learn(scene: Scene, text: string): Ids {
    const known = this.#regions.get(scene.id) ?? new Map<string, number>();
    this.#regions.set(scene.id, known);
    for (const [, id, label, corners] of text.matchAll(/^([A-Z]\d+) (.+) \[([\d,]+)\]$/gm)) {
      const [left, top, right, bottom] = corners!.split(',').map((value) => Number(value) / 1000) as [
        number,
        number,
        number,
        number,
      ];
      const distances = scene.objects.map(({ sprite, box: [x, y, w, h] }) =>
        sprite.category === label
          ? Math.abs(x / scene.width - left) +
            Math.abs(y / scene.height - top) +
            Math.abs((x + w) / scene.width - right) +
            Math.abs((y + h) / scene.height - bottom)
          : Number.POSITIVE_INFINITY,
      );
      known.set(id!, distances.indexOf(Math.min(...distances)));
    }
    return known;
  }
}

/** Returns whether a relation holds in a scene, in the words of its captions. */
export function isTrue({ relations }: Scene, subject: number, text: string, object: number): boolean {
  return relations.some(
    (one) =>
      one.subject === subject && one.object === object && (one.predicate === text || one.wordings.includes(text)),
  );
}

const PLACES = new Set([
  'on',
  'above',
  'under',
  'sitting on',
  'standing on',
  'next to',
  'near',
  'behind',
  'in front of',
]);
/** Relations of place that do not hold the other way round, as boxes can tell. */
const TELLING = new Set(['on', 'above', 'under', 'sitting on', 'standing on', 'left of', 'right of']);

/** Returns `left of` or `right of` for things that have nothing above each other. */
function sides({ objects }: Scene, ids: Ids, first: string, second: string): string[] | undefined {
  const [a, b] = [objects[ids.get(first)!]!.box, objects[ids.get(second)!]!.box];
  if (a[0] + a[2] <= b[0]) return [first, 'left of', second];
  return b[0] + b[2] <= a[0] ? [first, 'right of', second] : undefined;
}

/** Returns a relation of place that does not hold because another one does. */
function falsePlace(scene: Scene, ids: Ids, [subject, predicate, object]: string[]): string[] | undefined {
  if (TELLING.has(predicate!)) return [object!, predicate!, subject!];
  const side = sides(scene, ids, subject!, object!);
  // Neighbors are not on each other.
  if (side && (predicate === 'next to' || predicate === 'near')) return [subject!, 'on', object!];
  return side && [side[2]!, side[1]!, side[0]!];
}

function predicateOf(scene: Scene, ids: Ids, statement: string, subjects: string, objects: string): string {
  const label = (list: string) => scene.objects[ids.get(list.split(',')[0]!)!]!.sprite.category;
  return statement.slice(label(subjects).length + 1, -label(objects).length - 1);
}

function statementHolds(scene: Scene, ids: Ids, statement: string): boolean {
  const [, first, predicate, second] = /^.*?([A-Z]\d+) (.+) [a-z][a-z ]* ([A-Z]\d+)$/.exec(statement) ?? [];
  if (first === undefined) return false;
  const object = scene.objects[ids.get(second!)!]!.sprite.category;
  const text = statement.slice(statement.indexOf(first) + first.length + 1, -(object.length + second!.length + 2));
  return predicate !== undefined && isTrue(scene, ids.get(first)!, text, ids.get(second!)!);
}

const LEVELS = 8;
const STEP = 32;

/** Paints an image of one color for each scene, by which the model knows it. */
export async function paintScene({ width, height }: Scene, place: number): Promise<Buffer> {
  const level = (power: number) => (Math.floor(place / LEVELS ** power) % LEVELS) * STEP + STEP / 2;
  const background = { r: level(0), g: level(1), b: level(2) };
  return sharp({ create: { width, height, channels: 3, background } })
    .png()
    .toBuffer();
}

async function sceneOf(image: Buffer): Promise<number> {
  const { data, info } = await sharp(image).raw().toBuffer({ resolveWithObject: true });
  const middle = info.channels * (Math.floor(info.height / 2) * info.width + Math.floor(info.width / 2));
  return [0, 1, 2].reduce((sum, power) => sum + Math.floor(data[middle + power]! / STEP) * LEVELS ** power, 0);
}

/** Counts the tokens of a text as Qwen's tokenizer divides it before it looks up words. */
const pretokens = (text: string): number =>
  text.match(/[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+/gu)?.length ?? 0;

async function inputTokens(images: readonly Buffer[], messages: readonly Message[]): Promise<number> {
  let tokens = 14;
  for (const image of images) {
    const { width, height } = await sharp(image).metadata();
    tokens += Math.round(width / 28) * Math.round(height / 28) + 2;
  }
  for (const { content } of messages)
    tokens += 5 + pretokens(typeof content === 'string' ? content : content.map(({ text = '' }) => text).join(''));
  return tokens;
}

/** Splits an answer into tokens with log probabilities; `certain` gives those that begin at a place, all others are certain. */
function tokensOf(content: string, certain: ReadonlyMap<number, number>): unknown[] {
  return [...content.matchAll(/[A-Za-z]+\d*|\d+|[^A-Za-z\d]+/g)].map((match) => {
    const probability = certain.get(match.index) ?? 1;
    const rest = (1 - probability) / 2;
    const others = ['A', 'B', 'C'].filter((letter) => letter !== match[0]);
    return {
      token: match[0],
      logprob: Math.log(probability),
      top_logprobs: [
        { token: match[0], logprob: Math.log(probability) },
        ...(rest > 0 ? others.slice(0, 2).map((token) => ({ token, logprob: Math.log(rest) })) : []),
      ],
    };
  });
}
