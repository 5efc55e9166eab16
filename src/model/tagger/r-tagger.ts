import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { OptionError } from '../../errors.js';
import { checkPositiveInteger } from '../../records/option-checks.js';
import type { RelationTagger, TagRequest } from '../../records/ports.js';
import { BACKENDS } from '../backends/backend-names.js';
import { preset } from '../presets.js';
import type { RTaggerOptions } from './r-tagger-options.js';
import type { TaggingSession } from './tagging-session.js';

/** Default of `batchSize` on a backend that may run on a GPU. */
const DEVICE_BATCH = 4;
const MAX_BATCH = 64;
/** What is reported before the first image. */
const NO_TIMES = { items: 0, batches: 0, busySeconds: 0, idleSeconds: 0 };

const round = (value: number): number => Math.round(value * 1000) / 1000;

/**
 * RLIPv2's R-Tagger: scores, for each candidate pair of boxes of an image, which relation texts hold.
 *
 * The weights are loaded when the first image is tagged. Backbone and encoder run once per image and set of texts; the
 * decoders process the pairs in groups. Images of concurrent calls are read while others are tagged, and those of one size are
 * encoded in batches; scores do not depend on the batch.
 *
 * @throws OptionError if an option is out of range
 *
 * Source: RLIPv2, section 4.2.
 *
 * @example
 * ```ts
 * import { caption, captionFile, coco, Graph, match, pair, parse, sceneGraphs, tag } from 'relflow';
 * import { rTagger } from 'relflow/model';
 *
 * const tagger = rTagger({
 *   weights: 'tagger.safetensors',
 *   images: 'val2017',
 *   tokenizer: 'roberta-base',
 * });
 * const graph = new Graph('tagged');
 * graph
 *   .from(coco({ annotations: 'instances_val2017.json' }))
 *   .pipe(caption(captionFile({ captions: 'captions_val2017.json' })))
 *   .pipe(parse())
 *   .pipe(match({ vocabulary: 'coco80' }))
 *   .pipe(pair())
 *   .pipe(tag(tagger, { threshold: 0.2 }))
 *   .to(sceneGraphs());
 * ```
 */
export function rTagger(options: RTaggerOptions): RelationTagger {
  const { groupsAtOnce = 4, categories, weights, backend, model } = options;
  if (!existsSync(weights))
    throw new OptionError('rTagger', `weights ${weights} do not exist, expected a file of weights`);
  if (backend !== undefined && backend !== 'auto' && !(BACKENDS as readonly string[]).includes(backend))
    throw new OptionError('rTagger', `unknown backend '${backend}', expected one of auto, ${BACKENDS.join(', ')}`);
  if (model !== undefined) preset(model);
  checkPositiveInteger('rTagger', 'groupsAtOnce', groupsAtOnce);
  const onDevice = backend === 'tensorflow' || backend === 'webgpu';
  const { batchSize = onDevice ? DEVICE_BATCH : 1 } = options;
  checkPositiveInteger('rTagger', 'batchSize', batchSize);
  if (batchSize > MAX_BATCH) throw new OptionError('rTagger', `batchSize ${batchSize}, expected at most ${MAX_BATCH}`);
  for (const [side, length] of Object.entries(options.view ?? {}))
    checkPositiveInteger('rTagger', `view.${side}`, length);
  if (categories?.length === 0) throw new OptionError('rTagger', 'categories is empty, expected those of the data set');
  const repeated = categories?.find((category, k) => categories.indexOf(category) < k);
  if (repeated !== undefined)
    throw new OptionError('rTagger', `categories lists '${repeated}' twice, expected each name once`);
  // Several images are needed at once for a batch, and one to be read ahead; requests about parts of an image come in turn.
  const imagesAtOnce = options.compat ? 1 : batchSize === 1 ? 2 : 3 * batchSize;
  let session: Promise<TaggingSession> | undefined;
  const opened: { session?: TaggingSession } = {};
  const open = async (): Promise<TaggingSession> => {
    const { TaggingSession: Session } = await import('./tagging-session.js');
    const tokenizer = options.tokenizer ?? dirname(options.weights);
    opened.session = await Session.open({ ...options, groupsAtOnce, batchSize, tokenizer });
    return opened.session;
  };
  return {
    name: options.name ?? 'r-tagger',
    version: '1',
    baseline: false,
    imagesAtOnce,
    ...(categories && { knowsCategory: (category: string) => categories.includes(category) }),
    tag: async (request: TagRequest, signal) => {
      signal.throwIfAborted();
      session ??= open();
      return (await session).scores(request, signal);
    },
    usage: () => {
      const { items, batches, busySeconds, idleSeconds } = opened.session?.times ?? NO_TIMES;
      const seconds = busySeconds + idleSeconds;
      const { recordings, seconds: warmUpSeconds } = opened.session?.warmUp ?? { recordings: 0, seconds: 0 };
      return {
        images: items,
        batches,
        imagesPerSecond: seconds > 0 ? round(items / seconds) : 0,
        // The share of the time in which no image was ready for the model.
        deviceWaited: seconds > 0 ? round(idleSeconds / seconds) : 0,
        // Recorded passes, and the time until their first results.
        ...(recordings > 0 && { recordings, warmUpSeconds: round(warmUpSeconds) }),
      };
    },
    close: async () => opened.session?.close(),
  };
}
