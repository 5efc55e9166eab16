import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Filter, ImageDetail, ImageKey, Queue, QueueItem, QueueOrder } from '../../view-api.js';
import { filterParameters, isEmptyFilter } from '../address.js';
import { api, judgedLink, pictureLink } from '../api.js';
import type { Rectangle } from '../drawing/rectangle.js';
import type { SceneRelation } from '../drawing/scene.js';
import { type SceneControls, SceneView } from '../drawing/scene-view.js';
import { edit, isWaiting, lastEdit, relationsNow, reloaded, savedCount, undo } from '../edits.js';
import { FilterChips } from '../filter/filter-chips.js';
import { Captions } from '../image/captions.js';
import { currentRef, sceneRelations } from '../image/shown-relation.js';
import { useShortcuts } from '../keyboard.js';
import { address, go, filter as presentFilter } from '../navigation.js';
import { PageLink } from '../page-link.js';
import { othersEdits, setInfo } from '../set-info.js';
import { useLoaded } from '../use-loaded.js';
import { PredicateInput } from './predicate-input.js';
import { QueueProgress } from './queue-progress.js';

/** Relations a request. */
const PAGE = 40;

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

/** The filter of the queue: judgments must not move the relations that are still to come. */
function queueFilter(): Filter {
  const { review: _, ...rest } = presentFilter.value;
  return rest;
}

function Judge({ at, total }: { readonly at: number; readonly total: number }) {
  const { queue } = address.value;
  const filter = queueFilter();
  const page = Math.floor(at / PAGE);
  const items = useQueueItems(page);
  const item = items(at);
  const details = useDetails([item, items(at + 1), items(at + 2), items(at + 3)]);
  const detail = item && details.get(item.image);
  const relations = detail ? relationsNow(detail.key, detail.relations) : [];
  const relation = item && relations[item.relation];
  const [isChanging, setChanging] = useState(false);
  const [isWhole, setWhole] = useState(false);
  const controls = useRef<SceneControls | null>(null);
  const ref = relation && currentRef(relation);
  useEffect(() => setChanging(false), [at]);

  const show = (place: number) =>
    go({ queue: { ...queue, at: Math.max(0, Math.min(total, place)) } }, { replace: true });
  const judge = (what: Parameters<typeof edit>[2]) => {
    if (!detail || !relation || at >= total) return;
    edit(detail.key, relation, what);
    show(at + 1);
  };
  const takeBack = () => {
    const taken = lastEdit.value;
    if (!taken) return;
    undo();
    // Back to the relation whose judgment was taken back, where it was the one before.
    if (at > 0) show(at - 1);
  };
  const swap = () => {
    if (!ref || ref.object === null) return;
    judge({ action: 'change', to: { ...ref, subject: ref.object, object: ref.subject } });
  };
  useShortcuts('Judge', [
    { keys: ['a', 'j'], does: 'it holds, for these boxes', run: () => judge({ action: 'approve' }) },
    { keys: ['x', 'f'], does: 'it does not hold', run: () => judge({ action: 'reject', triplet: 'no' }) },
    {
      keys: ['o', 'd'],
      does: 'it holds, but for other boxes of the image',
      run: () => judge({ action: 'reject', triplet: 'yes' }),
    },
    { keys: ['s', ' '], does: 'I cannot tell', run: () => judge({ action: 'unsure' }) },
    { keys: ['e'], does: 'change the predicate', run: () => setChanging(true) },
    { keys: ['w'], does: 'swap subject and object', run: swap },
    { keys: ['u', 'Backspace'], does: 'undo and go back', run: takeBack },
    { keys: ['ArrowRight', 'n'], does: 'next, without a judgment', run: () => show(at + 1) },
    { keys: ['ArrowLeft', 'p'], does: 'the relation before', run: () => show(at - 1) },
    { keys: ['z', '0'], does: 'the two boxes or the whole picture', run: () => setWhole(!isWhole) },
    {
      keys: ['Enter'],
      does: 'open the image',
      run: () => item && go({ view: 'image', image: item.image, relation: item.relation }),
    },
  ]);
  const scene = useMemo<readonly SceneRelation[]>(
    () => (item && relation ? sceneRelations(relations).filter((_, index) => index === item.relation) : []),
    [relation, item],
  );
  const part = useMemo(
    () => (detail && ref ? partAround(detail, ref.subject, ref.object) : undefined),
    [detail, ref?.subject, ref?.object],
  );
  if (at >= total)
    return (
      <div class="done">
        <h2>All {total.toLocaleString('en-US')} relations of this queue are judged or skipped.</h2>
        <p>
          <button type="button" onClick={() => show(0)}>
            To the first
          </button>{' '}
          <button type="button" onClick={takeBack} disabled={!lastEdit.value}>
            Undo the last <kbd>u</kbd>
          </button>
        </p>
      </div>
    );
  if (!item) return <p class="nothing">Loading…</p>;
  const name = (index: number | null) => (index === null ? '' : (detail?.objects[index]?.category ?? ''));
  const state = relation?.review.state ?? item.state;
  return (
    <div class="judge">
      <h1 class="statement" aria-live="polite">
        <span class="part subject">{ref ? name(ref.subject) : item.subject}</span>{' '}
        {isChanging && ref ? (
          <PredicateInput
            value={ref.predicate}
            label="Predicate"
            onChoose={(predicate) => {
              setChanging(false);
              if (predicate !== ref.predicate) judge({ action: 'change', to: { ...ref, predicate } });
            }}
            onCancel={() => setChanging(false)}
          />
        ) : (
          <b>{ref?.predicate ?? item.predicate}</b>
        )}{' '}
        <span class="part object">{ref ? name(ref.object) : item.object}</span>
        <span class={`state ${state}`}>
          {detail && relation && isWaiting(detail.key, relation) ? 'saving…' : state === 'unreviewed' ? '' : state}
        </span>
      </h1>
      <div class="judge-scene">
        {detail && ref && (
          <SceneView
            picture={setInfo.value?.hasPictures && !detail.pictureProblem ? pictureLink(detail.key) : null}
            description={`${name(ref.subject)} ${ref.predicate} ${name(ref.object)} in ${detail.file}`}
            width={detail.width}
            height={detail.height}
            objects={detail.objects}
            relations={scene}
            lit={scene[0]?.key ?? null}
            labels="none"
            showsRelations
            {...(part && !isWhole && { part })}
            isDrawing={false}
            onHover={() => undefined}
            onSelect={() => undefined}
            onDrawn={() => undefined}
            controls={controls}
          />
        )}
      </div>
      {detail && relation && <Captions detail={detail} lit={{ key: '', index: item.relation, relation }} />}
      <div class="judge-actions">
        <button type="button" class="good" onClick={() => judge({ action: 'approve' })}>
          Right <kbd>a</kbd>
        </button>
        <button type="button" class="bad" onClick={() => judge({ action: 'reject', triplet: 'no' })}>
          Wrong <kbd>x</kbd>
        </button>
        <button type="button" onClick={() => judge({ action: 'reject', triplet: 'yes' })}>
          Other boxes <kbd>o</kbd>
        </button>
        <button type="button" onClick={() => judge({ action: 'unsure' })}>
          Unsure <kbd>s</kbd>
        </button>
        <button type="button" onClick={() => setChanging(true)}>
          Change <kbd>e</kbd>
        </button>
        <button type="button" onClick={swap} disabled={ref?.object === null}>
          Swap <kbd>w</kbd>
        </button>
        <button type="button" onClick={takeBack} disabled={!lastEdit.value}>
          Undo <kbd>u</kbd>
        </button>
        <span class="place">
          <button type="button" onClick={() => show(at - 1)} disabled={at === 0} aria-label="The relation before">
            ‹
          </button>
          {(at + 1).toLocaleString('en-US')} of {total.toLocaleString('en-US')}
          <button type="button" onClick={() => show(at + 1)} aria-label="Next relation">
            ›
          </button>
        </span>
        {detail && (
          <PageLink class="file" to={{ ...address.value, view: 'image', image: item.image, relation: item.relation }}>
            {detail.file}
          </PageLink>
        )}
      </div>
    </div>
  );

  /** Loads pages of the queue: the present one and the next one. The order stays as it was when they were loaded. */
  function useQueueItems(present: number): (place: number) => QueueItem | undefined {
    const pages = useRef(new Map<number, readonly QueueItem[]>());
    const [, redraw] = useState(0);
    useEffect(() => {
      const controller = new AbortController();
      for (const page of [present, present + 1]) {
        if (pages.current.has(page) || page * PAGE >= total) continue;
        api.queue(filter, queue, page * PAGE, PAGE, controller.signal).then(
          ({ items }) => {
            pages.current.set(page, items);
            redraw((count) => count + 1);
          },
          () => undefined,
        );
      }
      return () => controller.abort();
    }, [present]);
    return (place) => pages.current.get(Math.floor(place / PAGE))?.[place % PAGE];
  }
}

/** Loads the images of relations, and their pictures, before they are needed. */
function useDetails(items: readonly (QueueItem | undefined)[]): ReadonlyMap<ImageKey, ImageDetail> {
  const details = useRef(new Map<ImageKey, ImageDetail>());
  /** The version of the reviews that each image was asked for. */
  const asked = useRef(new Map<ImageKey, number>());
  const [, redraw] = useState(0);
  const keys = items.flatMap((item) => (item ? [item.image] : []));
  const version = othersEdits.value;
  useEffect(() => {
    for (const key of keys) {
      if (asked.current.get(key) === version) continue;
      asked.current.set(key, version);
      if (setInfo.value?.hasPictures) new Image().src = pictureLink(key);
      reloaded(key, () => api.image(key, {}, 'set', new AbortController().signal)).then(
        (detail) => {
          details.current.set(key, detail);
          redraw((count) => count + 1);
        },
        () => asked.current.delete(key),
      );
    }
  }, [keys.join(), version]);
  return details.current;
}

/** Returns the part of a picture that holds two boxes, with their surroundings. */
function partAround({ objects, width, height }: ImageDetail, subject: number, object: number | null): Rectangle {
  const boxes = [subject, object].flatMap((index) => (index === null ? [] : [objects[index]!.box]));
  const left = Math.min(...boxes.map(([x]) => x));
  const top = Math.min(...boxes.map(([, y]) => y));
  const right = Math.max(...boxes.map(([x, , w]) => x + w));
  const bottom = Math.max(...boxes.map(([, y, , h]) => y + h));
  // A small pair is shown with enough of its surroundings to tell what it is.
  const margin = Math.max(0.25 * Math.max(right - left, bottom - top), 0.12 * Math.max(width, height));
  const [x, y] = [Math.max(0, left - margin), Math.max(0, top - margin)];
  return { x, y, width: Math.min(width, right + margin) - x, height: Math.min(height, bottom + margin) - y };
}
