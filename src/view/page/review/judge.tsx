import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Alike, EditAction } from '../../review-api.js';
import type { ImageDetail, ImageKey } from '../../view-api.js';
import { pictureLink } from '../api.js';
import type { Rectangle } from '../drawing/rectangle.js';
import type { SceneRelation } from '../drawing/scene.js';
import { type SceneControls, SceneView } from '../drawing/scene-view.js';
import { edit, editAll, isWaiting, lastEdits, relationsNow, undo } from '../edits.js';
import { Captions } from '../image/captions.js';
import { currentRef, sceneRelations } from '../image/shown-relation.js';
import { useShortcuts } from '../keyboard.js';
import { address, go } from '../navigation.js';
import { PageLink } from '../page-link.js';
import { setInfo } from '../set-info.js';
import { AlikePanel } from './alike-panel.js';
import { PredicateInput } from './predicate-input.js';
import { useDetails, useQueueItems } from './queue-items.js';
import { VERDICTS } from './verdicts.js';

/** The relation at a place of the queue, with what people can say about it. */
export function Judge({ at, total }: { readonly at: number; readonly total: number }) {
  const { queue } = address.value;
  const items = useQueueItems(at, total);
  const item = items(at);
  const details = useDetails([item, items(at + 1), items(at + 2), items(at + 3)]);
  const detail = item && details.get(item.image);
  const relations = detail ? relationsNow(detail.key, detail.relations) : [];
  const relation = item && relations[item.relation];
  const [isChanging, setChanging] = useState(false);
  const [isWhole, setWhole] = useState(false);
  const [asksAll, setAsksAll] = useState(false);
  const controls = useRef<SceneControls | null>(null);
  const ref = relation && currentRef(relation);
  useEffect(() => {
    setChanging(false);
    setAsksAll(false);
  }, [at]);
  /** The places where judgments were made, by the ids of their edits, to go back there. */
  const places = useRef(new Map<string, number>());
  /** Edits of relations that were judged with others, which the queue passes over. */
  const passed = useRef(new Map<string, string>());

  const show = (place: number) =>
    go({ queue: { ...queue, at: Math.max(0, Math.min(total, place)) } }, { replace: true });
  const judge = (what: EditAction) => {
    if (!detail || !relation || at >= total) return;
    places.current.set(edit(detail.key, relation, what).id, at);
    showNext();
  };
  const judgeAll = (relations: Alike['relations'], what: EditAction) => {
    for (const [index, { id }] of editAll(relations, what).entries()) {
      places.current.set(id, at);
      passed.current.set(nameOf(relations[index]!), id);
    }
    setAsksAll(false);
    showNext();
  };
  const isPassed = (place: number): boolean => {
    const found = items(place);
    return found !== undefined && passed.current.has(nameOf({ image: found.image, place: found.relation }));
  };
  const showNext = () => {
    let next = at + 1;
    while (isPassed(next)) next++;
    show(next);
  };
  const takeBack = () => {
    const taken = undo();
    if (!taken) return;
    const back = places.current.get(taken[0]!.id) ?? at - 1;
    const ids = new Set(taken.map(({ id }) => id));
    for (const [name, id] of passed.current) if (ids.has(id)) passed.current.delete(name);
    show(back);
  };
  const swap = () => {
    if (!ref || ref.object === null) return;
    judge({ action: 'change', to: { ...ref, subject: ref.object, object: ref.subject } });
  };
  useShortcuts('Judge', [
    ...VERDICTS.map(({ keys, does, what }) => ({ keys, does, run: () => judge(what) })),
    { keys: ['l'], does: 'all like this: one verdict on every relation with these names', run: () => setAsksAll(true) },
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
          <button type="button" onClick={takeBack} disabled={!lastEdits.value}>
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
      {asksAll && <AlikePanel item={item} onJudge={judgeAll} onCancel={() => setAsksAll(false)} />}
      <div class="judge-actions" hidden={asksAll}>
        {VERDICTS.map(({ label, keys, what, look }) => (
          <button key={label} type="button" class={look} onClick={() => judge(what)}>
            {label} <kbd>{keys[0]}</kbd>
          </button>
        ))}
        <button type="button" onClick={() => setChanging(true)}>
          Change <kbd>e</kbd>
        </button>
        <button type="button" onClick={swap} disabled={ref?.object === null}>
          Swap <kbd>w</kbd>
        </button>
        <button type="button" onClick={() => setAsksAll(true)}>
          All like this… <kbd>l</kbd>
        </button>
        <button type="button" onClick={takeBack} disabled={!lastEdits.value}>
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
}

const nameOf = ({ image, place }: { readonly image: ImageKey; readonly place: number }): string => `${image} ${place}`;

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
