import { type Usage, wholeNumber } from '../../scripts/script-flags.js';
import { BACKENDS, type BackendName } from '../../src/model/backends/backend-names.js';
import { useBackend } from '../../src/model/index.js';
import { parsedaR50, rTaggerR50 } from '../../src/model/presets.js';
import { RlipV2 } from '../../src/model/rlip-v2.js';
import { setMadeUpWeights } from './made-up-training.js';

/** Flags of a script that runs steps of a full-size model. */
export const FULL_SIZE_FLAGS = {
  backend: { type: 'string', default: 'tensorflow' },
  model: { type: 'string', default: 'tagger' },
  height: { type: 'string', default: '96' },
  width: { type: 'string', default: '128' },
  images: { type: 'string', default: '1' },
  steps: { type: 'string', default: '3' },
  threads: { type: 'string' },
  recorded: { type: 'boolean' },
  calls: { type: 'boolean' },
} as const;

/** The texts of those flags. */
interface FullSizeFlags
  extends Readonly<Record<'backend' | 'model' | 'height' | 'width' | 'images' | 'steps', string>> {
  readonly threads?: string | undefined;
}

/** Checks the flags, starts the backend and makes the model, with made-up weights. */
export async function openFullSizeModel(flags: FullSizeFlags, usage: Usage) {
  const number = (name: 'height' | 'width' | 'images' | 'steps') => wholeNumber(usage, name, flags[name]);
  const [height, width, images, steps] = [number('height'), number('width'), number('images'), number('steps')];
  if (!(BACKENDS as readonly string[]).includes(flags.backend))
    usage(`--backend ${flags.backend}, expected ${BACKENDS.join(', ')}`);
  if (!['tagger', 'parseda'].includes(flags.model)) usage(`--model ${flags.model}, expected tagger or parseda`);
  const threads = flags.threads === undefined ? {} : { threads: wholeNumber(usage, 'threads', flags.threads, 1, 64) };
  const backend = await useBackend(flags.backend as BackendName, threads);
  const isTagger = flags.model === 'tagger';
  const model = new RlipV2(isTagger ? rTaggerR50 : parsedaR50);
  setMadeUpWeights(model.parameters.values());
  return { backend, model, isTagger, height, width, images, steps };
}
