import { filter, refine } from '../navigation.js';

/** The histogram of confidences with the two ends of the range. */
export function ConfidenceFacet({ bins }: { readonly bins: readonly number[] }) {
  const { minConfidence = 0, maxConfidence = 1 } = filter.value;
  const most = Math.max(1, ...bins);
  const set = (low: number, high: number) =>
    refine({ minConfidence: low > 0 ? low : undefined, maxConfidence: high < 1 ? high : undefined });
  return (
    <section class="facet confidence" aria-label="Confidence">
      <h3>
        Confidence{' '}
        <span class="count">
          {minConfidence.toFixed(2)} to {maxConfidence.toFixed(2)}
        </span>
      </h3>
      <svg viewBox="0 0 200 36" preserveAspectRatio="none" aria-hidden="true">
        {bins.map((count, bin) => (
          <rect
            // Bins have no other name than their position.
            key={bin}
            class={(bin + 1) / 20 > minConfidence && bin / 20 < maxConfidence ? 'in' : 'out'}
            x={bin * 10 + 0.5}
            width="9"
            y={36 - (34 * count) / most}
            height={count === 0 ? 0 : Math.max(1, (34 * count) / most)}
          />
        ))}
      </svg>
      <div class="range">
        <input
          type="range"
          min="0"
          max="1"
          step="0.05"
          value={minConfidence}
          aria-label="Least confidence"
          onChange={(event) => {
            const low = Number(event.currentTarget.value);
            set(low, Math.max(low, maxConfidence));
          }}
        />
        <input
          type="range"
          min="0"
          max="1"
          step="0.05"
          value={maxConfidence}
          aria-label="Greatest confidence"
          onChange={(event) => {
            const high = Number(event.currentTarget.value);
            set(Math.min(high, minConfidence), high);
          }}
        />
      </div>
    </section>
  );
}
