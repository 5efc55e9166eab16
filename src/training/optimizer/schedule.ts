/** How the learning rate changes: a factor that every group's rate is multiplied by. */
export type Schedule = (
  | {
      readonly kind: 'step';
      /** Epochs after each of which the rate falls. */
      readonly dropAfter: readonly number[];
      /** By this factor. */
      readonly factor: number;
    }
  | {
      readonly kind: 'cosine';
      /** The share that is left at the end. */
      readonly floor: number;
    }
) & {
  /** Steps at the start over which the rate grows from next to nothing. */
  readonly warmup: number;
};

/** Source: RLIPv2, main.py: a tenth after epoch 15 of 20, no warm-up. */
export const officialSchedule: Schedule = { kind: 'step', dropAfter: [15], factor: 0.1, warmup: 0 };

/**
 * The factor for a step.
 *
 *     step:    factorⁿ, n drops behind    cosine:  floor + (1 − floor) · (1 + cos(π · t)) / 2,  t = (step − warmup) / (steps − warmup)
 *     warm-up: (step + 1) / warmup of that
 *
 * @param step counted from 0
 * @param steps of the whole run
 * @param epoch the step's, counted from 0: the official rate falls behind the first step of a new epoch, this one before
 */
export function scheduleFactor(schedule: Schedule, step: number, steps: number, epoch: number): number {
  const warm = step < schedule.warmup ? (step + 1) / schedule.warmup : 1;
  if (schedule.kind === 'step')
    return warm * schedule.factor ** schedule.dropAfter.filter((after) => epoch >= after).length;
  const span = Math.max(1, steps - schedule.warmup);
  const done = Math.min(1, Math.max(0, step - schedule.warmup) / span);
  return warm * (schedule.floor + ((1 - schedule.floor) * (1 + Math.cos(Math.PI * done))) / 2);
}
