import { CachedAnswers, type CachedAnswersOptions } from '../endpoints/cached-answers.js';
import { RequestFailure } from '../endpoints/request-failure.js';
import { EndpointError, OptionError, RecordError } from '../errors.js';
import type { Question, Reply, Tokens } from '../records/answer.js';
import type { Caption } from '../records/caption-record.js';
import type { Image } from '../records/image.js';
import { checkPositiveInteger } from '../records/option-checks.js';
import type { Captioner } from '../records/ports.js';
import { type ImageFile, ImageFiles } from './image-files.js';

/** What every captioner that asks a model is told. */
export interface ModelCaptionerOptions extends CachedAnswersOptions {
  /** The image folder; records hold paths below it. */
  readonly images: string;
  /**
   * Captions an image. 1 (default): the one that the model thinks best; more: so many by nucleus sampling, one request
   * each. Captions that are there from a smaller number of more than 1 are used.
   */
  readonly nCaptions?: number;
  /** Seed of the first caption by sampling; the others follow it. Default 0. */
  readonly firstSeed?: number;
}

/** How a captioner asks its model. */
export interface CaptionModel {
  readonly name: string;
  readonly version: string;
  readonly question: Question;
  /** What one request may take: of input as far as it can be known, of output at most. */
  readonly expectedTokens: Tokens;
  /** Makes an image ready to be sent. What it gives makes one request, for the answer of a seed. */
  readonly prepare: (image: Image, file: ImageFile) => Promise<(seed: number, signal: AbortSignal) => Promise<Reply>>;
}

/** How many captions, and by which seeds. @throws OptionError where an option is out of range */
export function seedsOf(where: string, { nCaptions = 1, firstSeed = 0 }: ModelCaptionerOptions): number[] {
  checkPositiveInteger(where, 'nCaptions', nCaptions);
  if (!Number.isSafeInteger(firstSeed) || firstSeed < 0) {
    throw new OptionError(where, `firstSeed ${firstSeed}, expected a whole number of at least 0`);
  }
  return nCaptions === 1 ? [0] : Array.from({ length: nCaptions }, (_, index) => firstSeed + index);
}

/**
 * A captioner over a model, with the policy and the store of answers. An image is captioned when all its captions are
 * there; one that is not is refused (`no-answer`), and what came is kept for the next run. Captions that the model would
 * not write, or left empty, are counted (`refused-caption`, `empty-caption`), and so are those that were cut at the limit
 * of their length (`cut-caption`); an image that is left with none is refused (`caption-refused`, `no-captions`).
 */
export function modelCaptioner(captionModel: CaptionModel, options: ModelCaptionerOptions): Captioner {
  const { name, version, question, expectedTokens } = captionModel;
  if (!options.images) throw new OptionError(name, "'images' is missing, expected the image folder");
  const seeds = seedsOf(name, options);
  const answers = new CachedAnswers(name, question, expectedTokens, options);
  const files = new ImageFiles(name, options.images);
  const { model, prompt, parameters } = question;
  return {
    name,
    version,
    options: { model, ...(prompt !== '' && { prompt }), parameters, nCaptions: seeds.length, firstSeed: seeds[0]! },
    // While some are sent, others are read from the disk or written to the store.
    imagesAtOnce: Math.max(4, Math.ceil((4 * answers.concurrency) / seeds.length)),
    usage: () => ({ ...answers.usage }),
    close: () => answers.close(),
    async forecast(image) {
      const { sha256 } = await files.read(image);
      return answers.forecast(sha256, seeds);
    },
    async caption(image, signal, count = () => {}) {
      const file = await files.read(image);
      // Once for all captions, and only if one is missing.
      let ready: ReturnType<typeof captionModel.prepare> | undefined;
      const prepare = async (seed: number) => {
        ready ??= captionModel.prepare(image, file);
        const send = await ready;
        return (attempt: AbortSignal) => send(seed, attempt);
      };
      const requests = seeds.map((seed) =>
        answers.answer({ subject: file.sha256, seed, prepare: () => prepare(seed) }, signal),
      );
      // The name is written beside the answers, so that nothing waits for the disk twice.
      const [replies] = await Promise.all([
        Promise.allSettled(requests),
        answers.nameImage(image.dataset, String(image.id), file.sha256),
      ]);
      return toCaptions(name, model, image, requireAll(name, image, replies), count);
    },
  };
}

/** @throws RecordError where some are missing, or whatever ends the run */
function requireAll(where: string, { id }: Image, settled: readonly PromiseSettledResult<Reply>[]): Reply[] {
  const failures = settled.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
  const [first] = failures;
  if (first === undefined) return settled.map((one) => (one as PromiseFulfilledResult<Reply>).value);
  const fatal = failures.find((error) => error instanceof EndpointError);
  if (fatal !== undefined || !(first instanceof RequestFailure)) throw fatal ?? first;
  throw new RecordError(
    'no-answer',
    `${where}: image ${id}: ${failures.length} of ${settled.length} captions are missing: ${first.message}`,
    { image: id },
  );
}

function toCaptions(
  where: string,
  source: string,
  { id }: Image,
  replies: readonly Reply[],
  count: (problem: string) => void,
): Caption[] {
  const captions = replies.flatMap(({ text, refused, cut }) => {
    const sentence = text.replace(/\s+/g, ' ').trim();
    if (refused || sentence === '') {
      count(refused ? 'refused-caption' : 'empty-caption');
      return [];
    }
    if (cut) count('cut-caption');
    return [{ text: sentence, source }];
  });
  if (captions.length > 0) return captions;
  const refused = replies.every((reply) => reply.refused);
  throw new RecordError(
    refused ? 'caption-refused' : 'no-captions',
    `${where}: image ${id}: the model ${refused ? 'would not caption it' : 'wrote no caption'}`,
    { image: id },
  );
}
