import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { OptionError } from '../../errors.js';
import { checkPositiveInteger } from '../../records/option-checks.js';
import type { RelationTagger, TagRequest } from '../../records/ports.js';
import { BACKENDS } from '../backends/backend-names.js';
import { preset } from '../presets.js';
import type { RTaggerOptions } from './r-tagger-options.js';
import type { TaggingSession } from './tagging-session.js';

/**
 * RLIPv2's R-Tagger: scores, for each candidate pair of boxes of an image, which relation texts hold.
 *
 * The weights are loaded when the first image is tagged. Backbone and encoder run once per image and set of texts; the
 * decoders process the pairs in groups. Concurrent calls are processed one after another.
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
  for (const [side, length] of Object.entries(options.view ?? {}))
    checkPositiveInteger('rTagger', `view.${side}`, length);
  if (categories?.length === 0) throw new OptionError('rTagger', 'categories is empty, expected those of the data set');
  const repeated = categories?.find((category, k) => categories.indexOf(category) < k);
  if (repeated !== undefined)
    throw new OptionError('rTagger', `categories lists '${repeated}' twice, expected each name once`);
  let session: Promise<TaggingSession> | undefined;
  let last: Promise<unknown> = Promise.resolve();
  const tag = async (request: TagRequest): Promise<Float32Array> => {
    session ??= import('./tagging-session.js').then(({ TaggingSession: Session }) =>
      Session.open({ ...options, groupsAtOnce, tokenizer: options.tokenizer ?? dirname(options.weights) }),
    );
    return (await session).scores(request);
  };
  return {
    name: options.name ?? 'r-tagger',
    version: '1',
    baseline: false,
    ...(categories && { knowsCategory: (category: string) => categories.includes(category) }),
    tag: (request, signal) => {
      const turn = last.then(() => {
        signal.throwIfAborted();
        return tag(request);
      });
      last = turn.catch(() => {});
      return turn;
    },
  };
}
