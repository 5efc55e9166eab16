import { CachedAnswers, type CachedAnswersOptions } from '../endpoints/cached-answers.js';
import { captionsOfReply } from '../endpoints/captions-of-reply.js';
import { requireAnswers } from '../endpoints/require-answers.js';
import { OptionError, RecordError } from '../errors.js';
import type { Question, Reply, Tokens } from '../records/answer.js';
import type { Caption } from '../records/caption-record.js';
import type { Image } from '../records/image.js';
import { checkPositiveInteger } from '../records/option-checks.js';
import type { Captioner } from '../records/ports.js';
import { type ImageFile, ImageFiles } from './image-files.js';

/** Options of all captioners that call a model. */
export interface ModelCaptionerOptions extends CachedAnswersOptions {
  /** The image folder, to which the paths in records are relative, or several that are searched in this order. */
  readonly images: string | readonly string[];
  /**
   * The number of captions per image. 1 (default) requests the caption that the model rates best; a larger number
   * requests that many captions by nucleus sampling, one request each. Sampled captions in the store are reused.
   */
  readonly nCaptions?: number;
  /** The seed of the first sampled caption; the others use the following seeds. Default 0. */
  readonly firstSeed?: number;
}

/** The protocol of a captioner: its question and how a request is made. */
export interface CaptionModel {
  readonly name: string;
  readonly version: string;
  readonly question: Question;
  /** The expected tokens of one request: an estimate of the input and the maximum of the output. */
  readonly expectedTokens: Tokens;
  /** Prepares an image for sending. The returned function makes one request, for the answer with the given seed. */
  readonly prepare: (image: Image, file: ImageFile) => Promise<(seed: number, signal: AbortSignal) => Promise<Reply>>;
}

/**
 * Returns the seeds of the captions of an image, one per caption.
 * @throws OptionError if an option is out of range
 */
export function captionerSeeds(where: string, { nCaptions = 1, firstSeed = 0 }: ModelCaptionerOptions): number[] {
  checkPositiveInteger(where, 'nCaptions', nCaptions);
  if (!Number.isSafeInteger(firstSeed) || firstSeed < 0) {
    throw new OptionError(where, `firstSeed ${firstSeed}, expected a whole number of at least 0`);
  }
  return nCaptions === 1 ? [0] : Array.from({ length: nCaptions }, (_, index) => firstSeed + index);
}

/**
 * Makes a captioner of a model, with the request policy and the answer store. An image without all of its captions is
 * rejected (`no-answer`); its answers so far are stored for the next run. Captions that the model refused or left empty
 * are counted (`refused-caption`, `empty-caption`), and so are captions cut off at the length limit (`cut-caption`), answers
 * with nothing but thoughts (`thoughts-only`) and captions from which thoughts were cut (`thoughts-cut`). An image without any
 * caption is rejected (`caption-refused`, `thoughts-only`, `caption-empty`).
 */
export function modelCaptioner(captionModel: CaptionModel, options: ModelCaptionerOptions): Captioner {
  const { name, version, question, expectedTokens } = captionModel;
  if (options.images === undefined || options.images.length === 0)
    throw new OptionError(name, "'images' is missing, expected the image folder");
  const seeds = captionerSeeds(name, options);
  const answers = new CachedAnswers(name, question, expectedTokens, options);
  const files = new ImageFiles(name, options.images);
  const { model, prompt, parameters } = question;
  return {
    name,
    version,
    options: { model, ...(prompt !== '' && { prompt }), parameters, nCaptions: seeds.length, firstSeed: seeds[0]! },
    // More images than requests, so that images are read and answers are stored while requests are in flight.
    imagesAtOnce: Math.max(4, Math.ceil((4 * answers.concurrency) / seeds.length)),
    usage: () => ({ ...answers.usage }),
    close: () => answers.close(),
    async forecast(image) {
      const { sha256 } = await files.read(image);
      return answers.forecast(sha256, seeds);
    },
    async caption(image, signal, count = () => {}) {
      const file = await files.read(image);
      // Prepared once for all captions, and only if an answer is missing.
      let ready: ReturnType<typeof captionModel.prepare> | undefined;
      const prepare = async (seed: number) => {
        ready ??= captionModel.prepare(image, file);
        const send = await ready;
        return (attempt: AbortSignal) => send(seed, attempt);
      };
      const requests = seeds.map((seed) =>
        answers.answer({ subject: file.sha256, seed, prepare: () => prepare(seed) }, signal),
      );
      // The name is written together with the answers, so that the disk is flushed once.
      const [replies] = await Promise.all([
        Promise.allSettled(requests),
        answers.nameImage(image.dataset, String(image.id), file.sha256),
      ]);
      return toCaptions(name, model, image, requireAnswers(name, image, replies, 'captions'), count);
    },
  };
}

function toCaptions(
  where: string,
  source: string,
  { id }: Image,
  replies: readonly Reply[],
  count: (problem: string) => void,
): Caption[] {
  const found = replies.map((reply) => ({ ...captionsOfReply(reply), refused: reply.refused, cut: reply.cut }));
  const captions = found.flatMap(({ texts, hasThoughts, refused, cut }) => {
    if (texts.length === 0) count(refused ? 'refused-caption' : hasThoughts ? 'thoughts-only' : 'empty-caption');
    else {
      if (hasThoughts) count('thoughts-cut');
      if (cut) count('cut-caption');
    }
    return texts.map((text) => ({ text, source }));
  });
  if (captions.length > 0) return captions;
  const [reason, problem] = found.every(({ refused }) => refused)
    ? ['caption-refused', 'refused to caption it']
    : found.some(({ hasThoughts }) => hasThoughts)
      ? [
          'thoughts-only',
          `returned only its thoughts${found.some(({ cut }) => cut) ? ', cut off at the token limit' : ''}`,
        ]
      : ['caption-empty', 'returned no caption'];
  throw new RecordError(reason, `${where}: image ${id}: the model ${problem}`, { image: id });
}
