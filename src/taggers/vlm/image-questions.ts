import { createHash } from 'node:crypto';
import { type ImageFile, ImageFiles } from '../../captioners/image-files.js';
import {
  type Crop,
  checkResizeOptions,
  dataUrl,
  type ResizeOptions,
  resizeForModel,
  type SentImage,
} from '../../captioners/resize-for-model.js';
import { CachedAnswers, type CachedAnswersOptions } from '../../endpoints/cached-answers.js';
import { type ChatMessage, ChatModel, type ChatModelOptions, imageTokens } from '../../endpoints/chat-model.js';
import { chatReply } from '../../endpoints/chat-reply.js';
import { RequestFailure } from '../../endpoints/request-failure.js';
import { tokenLogprobs } from '../../endpoints/token-logprobs.js';
import { OptionError, RecordError } from '../../errors.js';
import { digest } from '../../files/digest.js';
import type { Reply, Tokens } from '../../records/answer.js';
import type { Image } from '../../records/image.js';
import type { Forecast, ProblemCounter } from '../../records/ports.js';

/** Options of what asks a vision-language model about regions of images. */
export interface ImageQuestionsOptions extends CachedAnswersOptions, ChatModelOptions, ResizeOptions {
  /** The image folder, to which the paths in records are relative, or several that are searched in this order. */
  readonly images: string | readonly string[];
  /** The maximum number of tokens of an answer. Default 600. */
  readonly maxTokens?: number;
}

/** What was understood of an answer. */
export interface Reading<T> {
  /** Undefined if nothing of the answer can be used. */
  readonly value?: T;
  /** What is wrong with the answer, for the model. */
  readonly problems: readonly string[];
}

/** A question about an image, or about parts of it. */
export interface ImageQuestion<T> {
  /** Everything that the question is made of, besides the image and the options: equal questions have one answer. */
  readonly key: unknown;
  /** The parts of the image to send. Default: the whole image. */
  readonly crops?: readonly Crop[];
  /** Returns the instruction for the images as sent. */
  readonly text: (sent: readonly SentImage[]) => string;
  /** Draws on an image before it is sent. */
  readonly draw?: (sent: SentImage, index: number) => Promise<SentImage>;
  /** The JSON Schema of the answer, for servers that can enforce it. */
  readonly schema: Readonly<Record<string, unknown>>;
  /** The number of alternatives of each token to request with its log probability. */
  readonly topLogprobs: number;
  /** 0 for the most likely answer; others are sampled. */
  readonly seed: number;
  /** The tokens that the answer is expected to have. */
  readonly outputTokens: number;
  /** Reads an answer. Of two answers with problems the second is used. */
  readonly read: (reply: Reply) => Reading<T>;
}

/** Returns the answer to a question; undefined if it is not known yet. */
export type Ask = <T>(question: ImageQuestion<T>) => Promise<T | undefined>;

/** A field of requests that not every server has. */
interface OptionalField {
  readonly name: string;
  /** Texts of servers that refuse it. */
  readonly refusal: RegExp;
}

const JSON_SCHEMA: OptionalField = {
  name: 'response_format',
  refusal: /response_?format|json_?schema|structured|guided|grammar|schema/i,
};
const LOGPROBS: OptionalField = { name: 'logprobs', refusal: /log_?probs?/i };
/** Tokens around a message that a server adds. */
const MESSAGE_TOKENS = 15;
const REFUSED_FIELD = [400, 422, 501];

/** Asks a vision-language model questions about images, with the request policy and the answer store of captioners. */
export class ImageQuestions {
  readonly options: Readonly<Record<string, unknown>>;
  readonly #where: string;
  readonly #chat: ChatModel;
  readonly #files: ImageFiles;
  readonly #answers: CachedAnswers;
  readonly #size: Required<ResizeOptions>;
  readonly #maxTokens: number;
  /** Fields that the server refused. */
  readonly #missing = new Set<OptionalField>();

  /**
   * @param where the name of the caller in messages, and of its protocol in the store
   * @param prompt the constant part of the instructions, by which answers are found again
   * @param own further options that can change an answer
   * @throws OptionError if an option is missing or out of range
   */
  constructor(where: string, prompt: string, own: Readonly<Record<string, unknown>>, options: ImageQuestionsOptions) {
    const { images, maxTokens = 600 } = options;
    if (images === undefined || images.length === 0)
      throw new OptionError(where, "'images' is missing, expected the image folder");
    this.#where = where;
    this.#chat = new ChatModel(where, options, maxTokens);
    this.#size = checkResizeOptions(where, options);
    this.#maxTokens = maxTokens;
    this.#files = new ImageFiles(where, images);
    const { model } = this.#chat;
    const parameters = { ...this.#chat.meant({ temperature: 0 }), image: this.#size, ...own };
    this.options = { model, parameters };
    const question = { protocol: where, model, prompt, parameters };
    const expected = { input: Math.ceil(imageTokens(this.#size.side, this.#size.side)), output: maxTokens };
    this.#answers = new CachedAnswers(where, question, expected, options);
  }

  /** The number of images to ask about at once: more than requests, so that images are read while requests are in flight. */
  get imagesAtOnce(): number {
    return Math.max(4, 2 * this.#answers.concurrency);
  }

  usage(): Readonly<Record<string, number>> {
    return { ...this.#answers.usage };
  }

  close(): Promise<void> {
    return this.#answers.close();
  }

  /**
   * Returns the function that asks about an image. After an answer with problems it asks once more and names them.
   *
   * It throws a RecordError `answer-refused` if the model refused, `unreadable-answer` if neither answer can be read, a
   * RequestFailure if the model did not answer, and an EndpointError if no more requests are sent.
   *
   * @throws RecordError if the image file cannot be read
   */
  async asker(image: Image, signal: AbortSignal, count: ProblemCounter): Promise<Ask> {
    const file = await this.#files.read(image);
    return (question) =>
      this.#ask(image, question, count, (talk) => {
        // Prepared once for all attempts, and only if the answer is missing.
        const prepare = async () => {
          const messages = await this.#messages(image, file, question, talk);
          return (attempt: AbortSignal) => this.#send(messages, question, attempt);
        };
        const subject = subjectOf(file, question, talk);
        const expected = { input: this.#inputTokens(image, question, talk), output: this.#maxTokens };
        return this.#answers.answer({ subject, seed: question.seed, expected, prepare }, signal);
      });
  }

  /**
   * Estimates the requests about an image.
   * @param ask asks the questions; those without an answer in the store are undefined
   */
  async forecast(image: Image, ask: (asker: Ask) => Promise<unknown>): Promise<Forecast> {
    const file = await this.#files.read(image);
    const missing: Tokens[] = [];
    let answers = 0;
    await ask((question) =>
      this.#ask(
        image,
        question,
        () => {},
        async (talk) => {
          answers++;
          const found = await this.#answers.stored(subjectOf(file, question, talk), question.seed);
          if (!found) missing.push({ input: this.#inputTokens(image, question, talk), output: question.outputTokens });
          return found;
        },
      ),
    );
    const sum = (of: keyof Tokens) => missing.reduce((total, tokens) => total + tokens[of], 0);
    return this.#answers.priced(answers, missing.length, { input: sum('input'), output: sum('output') });
  }

  async #ask<T>(
    image: Image,
    question: ImageQuestion<T>,
    count: ProblemCounter,
    answer: (talk: readonly string[]) => Promise<Reply | undefined>,
  ): Promise<T | undefined> {
    const first = await answer([]);
    if (!first) return undefined;
    const reading = this.#read(question, first);
    if (reading.problems.length === 0) return reading.value;
    count('answers-asked-again');
    // Some servers take no empty message.
    const second = await answer([first.text || '-', complaint(reading.problems)]);
    if (!second) return reading.value;
    const again = this.#read(question, second);
    if (again.value === undefined && reading.value === undefined) {
      const [reason, problem] = second.refused
        ? ['answer-refused', 'the model refused to answer']
        : ['unreadable-answer', `the answer of the model cannot be used: ${again.problems[0]}`];
      throw new RecordError(reason, `${this.#where}: image ${image.id}: ${problem}, also when asked again`, {
        image: image.id,
      });
    }
    const used = again.value === undefined ? reading : again;
    if (used.problems.length > 0) count('answers-with-problems');
    return used.value;
  }

  #read<T>(question: ImageQuestion<T>, reply: Reply): Reading<T> {
    if (reply.refused) return { problems: ['it is a refusal, but the question is only where things are'] };
    const reading = question.read(reply);
    if (!reply.cut || reading.value !== undefined) return reading;
    return { problems: [`it was cut off at the limit of ${this.#maxTokens} tokens, write less`] };
  }

  async #messages<T>(
    image: Image,
    file: ImageFile,
    question: ImageQuestion<T>,
    talk: readonly string[],
  ): Promise<ChatMessage[]> {
    const parts = question.crops ?? [undefined];
    const sent = await Promise.all(parts.map((crop) => resizeForModel(this.#where, file, image, this.#size, crop)));
    const { draw } = question;
    const shown = draw ? await Promise.all(sent.map((one, index) => draw(one, index))) : sent;
    return [
      {
        role: 'user',
        // The image comes first, so that a server can reuse what it computed for the same image.
        content: [
          ...shown.map((one) => ({ type: 'image_url' as const, image_url: { url: dataUrl(one) } })),
          { type: 'text' as const, text: question.text(sent) },
        ],
      },
      ...talk.map((content, index) => ({
        role: index % 2 === 0 ? ('assistant' as const) : ('user' as const),
        content,
      })),
    ];
  }

  /** Makes one request, and another one without a field that the server refuses. */
  async #send<T>(messages: readonly ChatMessage[], question: ImageQuestion<T>, signal: AbortSignal): Promise<Reply> {
    const { schema, topLogprobs, seed } = question;
    for (;;) {
      const fields = {
        ...(seed === 0 ? { temperature: 0 } : { temperature: 1, seed }),
        ...(!this.#missing.has(JSON_SCHEMA) && {
          response_format: { type: 'json_schema', json_schema: { name: 'answer', strict: true, schema } },
        }),
        ...(!this.#missing.has(LOGPROBS) && {
          logprobs: true,
          ...(topLogprobs > 0 && { top_logprobs: topLogprobs }),
        }),
      };
      const sentFields = [JSON_SCHEMA, LOGPROBS].filter(({ name }) => name in fields);
      try {
        const { value, redact } = await this.#chat.complete(messages, fields, signal);
        const logprobs = tokenLogprobs(value);
        return { ...chatReply(value, redact), ...(logprobs && { logprobs }) };
      } catch (error) {
        const refused = sentFields.find((field) => refuses(error, field));
        if (!refused) throw error;
        this.#missing.add(refused);
      }
    }
  }

  /** Estimates the tokens of a question, as many models count them. */
  #inputTokens<T>(image: Image, { crops, text }: ImageQuestion<T>, talk: readonly string[]): number {
    const whole = { left: 0, top: 0, right: image.width, bottom: image.height };
    const sent = (crops ?? [whole]).map(({ left, top, right, bottom }) => {
      const [width, height] = [right - left, bottom - top];
      const scale = Math.min(1, this.#size.side / Math.max(width, height));
      return { width: Math.round(width * scale), height: Math.round(height * scale) };
    });
    const pixels = sent.reduce((sum, { width, height }) => sum + imageTokens(width, height), 0);
    const texts = [text(sent as SentImage[]), ...talk];
    return Math.ceil(pixels + texts.reduce((sum, one) => sum + MESSAGE_TOKENS + textTokens(one), 0));
  }
}

/** Returns the number of tokens that a text is expected to take: many models write each digit as a token of its own. */
export const textTokens = (text: string): number => text.match(/\p{L}{1,8}|\d|[^\s\p{L}\d]+|\n/gu)?.length ?? 0;

function subjectOf<T>(file: ImageFile, { key }: ImageQuestion<T>, talk: readonly string[]): string {
  return createHash('sha256')
    .update(`${file.sha256} ${digest({ key, talk })}`)
    .digest('hex');
}

const complaint = (problems: readonly string[]): string =>
  `Your answer cannot be used: ${problems.slice(0, 3).join('; ')}. Answer the same questions again, with the JSON only.`;

const refuses = (error: unknown, { refusal }: OptionalField): boolean =>
  error instanceof RequestFailure && REFUSED_FIELD.includes(error.status ?? 0) && refusal.test(error.message);
