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
 * RLIPv2's R-Tagger: looks at the image and says which relation texts hold for which pairs of boxes.
 *
 * Nothing is loaded before the first image. Backbone and encoder run once an image and set of texts; pairs go through the
 * decoders in groups. Images come one after the other, however many are asked for at once.
 *
 * Source: RLIPv2, section 4.2.
 *
 * @throws OptionError where an option is out of range
 */
export function rTagger(options: RTaggerOptions): RelationTagger {
  const { groupsAtOnce = 4, categories, weights, backend, model } = options;
  if (!existsSync(weights)) throw new OptionError('rTagger', `no weights at ${weights}`);
  if (backend !== undefined && backend !== 'auto' && !(BACKENDS as readonly string[]).includes(backend))
    throw new OptionError('rTagger', `unknown backend '${backend}', expected auto, ${BACKENDS.join(', ')}`);
  if (model !== undefined) preset(model);
  checkPositiveInteger('rTagger', 'groupsAtOnce', groupsAtOnce);
  for (const [side, length] of Object.entries(options.view ?? {}))
    checkPositiveInteger('rTagger', `view.${side}`, length);
  if (categories.length === 0) throw new OptionError('rTagger', 'no categories, expected those of the data set');
  if (new Set(categories).size < categories.length) throw new OptionError('rTagger', 'a category is listed twice');
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
