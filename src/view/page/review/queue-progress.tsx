import type { Queue } from '../../review-api.js';

/** How far the judging is, and the precision that follows from it, with its interval. */
export function QueueProgress({ queue: { progress, precision, total, isRepresentative } }: { readonly queue: Queue }) {
  const { judged, unsure, images, imagesDone } = progress;
  const { value, low, high } = precision;
  const number = (share: number) => share.toFixed(2);
  return (
    <div class="queue-progress" role="status">
      <progress max={total} value={judged + unsure} aria-label="Judged" />
      <span>
        <b>{(judged + unsure).toLocaleString('en-US')}</b> of {total.toLocaleString('en-US')} judged
        {isRepresentative && `, ${imagesDone} of ${images} images`}
        {unsure > 0 && `, ${unsure} unsure`}
      </span>
      {value !== null && low !== null && high !== null && (
        <span
          title={
            isRepresentative
              ? 'Share of the judged relations that hold for their boxes, with its 95 % interval'
              : 'Only of these relations, the least certain ones: it does not speak for the set'
          }
        >
          precision <b>{number(value)}</b>
          <svg class="interval" viewBox="0 0 100 10" aria-hidden="true">
            <path d="M0 5H100" />
            <rect x={100 * low} width={Math.max(1, 100 * (high - low))} y="2.5" height="5" />
            <circle cx={100 * value} cy="5" r="3" />
          </svg>
          <span class="count">
            95 %: {number(low)} to {number(high)}
            {!isRepresentative && ', of the least certain'}
          </span>
        </span>
      )}
    </div>
  );
}
