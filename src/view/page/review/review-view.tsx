import { useEffect, useState } from 'preact/hooks';
import type { Queue, QueueOrder } from '../../review-api.js';
import { filterParameters, isEmptyFilter } from '../address.js';
import { api, judgedLink } from '../api.js';
import { savedCount } from '../edits.js';
import { FilterChips } from '../filter/filter-chips.js';
import { address, go, filter as presentFilter } from '../navigation.js';
import { othersEdits } from '../set-info.js';
import { useLoaded } from '../use-loaded.js';
import { Judge } from './judge.js';
import { queueFilter } from './queue-items.js';
import { QueueProgress } from './queue-progress.js';

/** One relation after the other to judge, with one key each. */
export function ReviewView() {
  const { queue } = address.value;
  const filter = queueFilter();
  const key = `${filterParameters(filter)} ${queue.order} ${queue.order === 'random' ? `${queue.seed} ${queue.images}` : ''}`;
  // The place is a part of the address; without one the first relation that is open comes first.
  const start = useLoaded(key, (signal) => api.queue(filter, queue, queue.at ?? 0, 1, signal));
  const [counted, setCounted] = useState<Queue | null>(null);
  useEffect(() => setCounted(null), [key]);
  const version = `${savedCount.value} ${othersEdits.value}`;
  const [versionAtStart] = useState(version);
  useEffect(() => {
    if (version === versionAtStart) return;
    const controller = new AbortController();
    const timer = setTimeout(() => {
      api.queue(filter, queue, 0, 1, controller.signal).then(setCounted, () => undefined);
    }, 150);
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [version, key]);
  const state = counted ?? start.value;
  const at = queue.at ?? state?.firstOpen ?? 0;
  return (
    <div class="review-view">
      <div class="review-head">
        <fieldset class="orders">
          <legend class="hidden">Order</legend>
          {(
            [
              ['uncertain', 'Least certain first'],
              ['random', 'Random sample'],
            ] satisfies [QueueOrder, string][]
          ).map(([order, label]) => (
            <button
              key={order}
              type="button"
              aria-pressed={queue.order === order}
              onClick={() => go({ queue: { order, seed: queue.seed, images: queue.images } })}
            >
              {label}
            </button>
          ))}
          {queue.order === 'random' && (
            <>
              <label>
                images{' '}
                <input
                  type="number"
                  min="1"
                  value={queue.images}
                  onChange={(event) =>
                    go({
                      queue: { order: 'random', seed: queue.seed, images: Number(event.currentTarget.value) || 40 },
                    })
                  }
                />
              </label>
              <label>
                seed{' '}
                <input
                  type="number"
                  min="0"
                  value={queue.seed}
                  onChange={(event) =>
                    go({
                      queue: { order: 'random', seed: Number(event.currentTarget.value) || 0, images: queue.images },
                    })
                  }
                />
              </label>
            </>
          )}
        </fieldset>
        {state && <QueueProgress queue={state} />}
        <a class="download" href={judgedLink(filter, queue)} download="judged.csv" title="For relflow evaluate judged">
          Judgments (CSV)
        </a>
      </div>
      {!isEmptyFilter(presentFilter.value) && (
        <div class="summary">
          <FilterChips />
          {presentFilter.value.review && <p>The queue takes relations of every state of review.</p>}
        </div>
      )}
      {start.error && (
        <p class="problem" role="alert">
          {start.error.message}
        </p>
      )}
      {state && state.total === 0 && <p class="nothing">No relation matches the filter.</p>}
      {state && state.total > 0 && <Judge key={key} at={at} total={state.total} />}
    </div>
  );
}
