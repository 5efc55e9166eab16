/** How the learning rates change during a training, see `scheduleFactor`. */
export type Schedule = (
  | {
      readonly kind: 'step';
      /** Epochs after which the learning rates drop. */
      readonly dropAfter: readonly number[];
      /** The factor of each drop. */
      readonly factor: number;
    }
  | {
      readonly kind: 'cosine';
      /** The factor at the end. */
      readonly floor: number;
    }
) & {
  /** Steps of linear warm-up. */
  readonly warmup: number;
};

/** The official schedule. Source: RLIPv2, main.py: a tenth after epoch 15 of 20, no warm-up. */
export const officialSchedule: Schedule = { kind: 'step', dropAfter: [15], factor: 0.1, warmup: 0 };

/**
 * Returns the factor that multiplies all learning rates in a step.
 *
 *     step:    factorⁿ after n drops    cosine:  floor + (1 − floor) · (1 + cos(π · t)) / 2,  t = (step − warmup) / (steps − warmup)
 *     warm-up: (step + 1) / warmup of that
 *
 * @param step counted from 0
 * @param steps of the whole training
 * @param epoch of the step, counted from 0: the learning rate drops before the first step of an epoch, officially after
 *   it
 */
export function scheduleFactor(schedule: Schedule, step: number, steps: number, epoch: number): number {
  const warmup = step < schedule.warmup ? (step + 1) / schedule.warmup : 1;
  if (schedule.kind === 'step')
    return warmup * schedule.factor ** schedule.dropAfter.filter((after) => epoch >= after).length;
  const span = Math.max(1, steps - schedule.warmup);
  const t = Math.min(1, Math.max(0, step - schedule.warmup) / span);
  return warmup * (schedule.floor + ((1 - schedule.floor) * (1 + Math.cos(Math.PI * t))) / 2);
}
