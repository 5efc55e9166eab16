import { type CollectedData, collectData } from './collect-data.js';
import type { ModelPass } from './model-passes.js';
import { type Recorded, type RecordOptions, recordKernels } from './record-kernels.js';
import { checkData } from './recordings-by-shape.js';

/** Collects the data of a run of a pass; the key tells the pass and all shapes, also those of the tensors that it is given. */
export function collectPass(options: RecordOptions, pass: ModelPass): CollectedData {
  const { key, values } = collectData(options, () => pass.collectData());
  const shapes = Object.entries(pass.given).map(([name, { shape }]) => `${name} ${shape.join('x')}`);
  return { key: [pass.key, ...shapes, key].join('; '), values };
}

/**
 * Records a pass.
 * @param values that were collected for this run
 * @param first data of the first run of the key, with what is not collected; undefined in the first run
 * @throws RelflowError (`recording`) if the pass has other data than these
 */
export function recordPass(
  options: RecordOptions,
  pass: ModelPass,
  values: CollectedData['values'],
  first: CollectedData['values'] | undefined,
): Recorded {
  const recorded = recordKernels(options, () => pass.run());
  checkData(new Map([...(first ?? recorded.data), ...values]), recorded.data);
  return recorded;
}
