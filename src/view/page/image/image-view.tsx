import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { ImageDetail, RelationRef } from '../../view-api.js';
import { filterParameters } from '../address.js';
import { api, pictureLink } from '../api.js';
import type { LabelMode, SceneRelation } from '../drawing/scene.js';
import { type SceneControls, SceneView } from '../drawing/scene-view.js';
import { edit, relationsNow, reloaded } from '../edits.js';
import { useShortcuts } from '../keyboard.js';
import { address, go, goTo } from '../navigation.js';
import { othersEdits, setInfo } from '../set-info.js';
import { useLoaded } from '../use-loaded.js';
import { CandidateList } from './candidate-list.js';
import { Captions } from './captions.js';
import { NewRelation } from './new-relation.js';
import { type RelationActions, RelationList } from './relation-list.js';
import { SceneGraphView } from './scene-graph.js';
import { currentRef, relationText, type ShownRelation, sceneRelations } from './shown-relation.js';

const LABELS: readonly LabelMode[] = ['auto', 'names', 'numbers', 'none'];
const nextLabels = (labels: LabelMode): LabelMode => LABELS[(LABELS.indexOf(labels) + 1) % LABELS.length]!;

type Tab = 'relations' | 'candidates';

/** An image with its boxes, relations, captions, graph and candidates. */
export function ImageView({ image }: { readonly image: number }) {
  const { filter, sort } = address.value;
  const loaded = useLoaded(`${image} ${filterParameters(filter)} ${sort} ${othersEdits.value}`, (signal) =>
    reloaded(image, () => api.image(image, filter, sort, signal)),
  );
  const detail = loaded.value?.key === image ? loaded.value : null;
  useEffect(() => {
    // The pictures that come next are fetched while this one is looked at.
    for (const key of [detail?.next, detail?.previous])
      if (key !== null && key !== undefined && setInfo.value?.hasPictures) new Image().src = pictureLink(key);
  }, [detail?.key]);
  if (loaded.error)
    return (
      <p class="problem" role="alert">
        {loaded.error.message}
      </p>
    );
  if (!detail) return null;
  return <ImagePanel key={detail.key} detail={detail} />;
}

function ImagePanel({ detail }: { readonly detail: ImageDetail }) {
  const { key: image, objects, candidates } = detail;
  const relations = relationsNow(image, detail.relations);
  const selected = Math.min(relations.length - 1, address.value.relation ?? 0);
  const [hovered, setHovered] = useState<string | null>(null);
  const [tab, setTab] = useState<Tab>('relations');
  const [changing, setChanging] = useState<number | null>(null);
  const [isDrawing, setDrawing] = useState(false);
  const [pair, setPair] = useState<{ readonly subject: number; readonly object: number } | null>(null);
  const [labels, setLabels] = useState<LabelMode>('auto');
  const [showsRelations, setShowsRelations] = useState(true);
  const [isPinned, setPinned] = useState(address.value.relation !== undefined);
  const controls = useRef<SceneControls | null>(null);
  const lit = hovered ?? (isPinned && selected >= 0 ? `r${selected}` : null);

  const drawn = useMemo(() => sceneRelations(relations), [relations]);
  const candidate = lit?.startsWith('c') ? candidates[Number(lit.slice(1))] : undefined;
  const scene = useMemo<readonly SceneRelation[]>(
    () => (candidate && lit ? [...drawn, { ...candidate, key: lit, look: 'candidate' }] : drawn),
    [drawn, candidate],
  );
  const shown: ShownRelation | null = candidate
    ? { key: lit!, index: -1, relation: candidate }
    : lit !== null && relations[Number(lit.slice(1))]
      ? { key: lit, index: Number(lit.slice(1)), relation: relations[Number(lit.slice(1))]! }
      : null;

  const select = (index: number) => {
    if (relations.length === 0) return;
    const next = Math.max(0, Math.min(relations.length - 1, index));
    setHovered(null);
    setPinned(true);
    setChanging(null);
    setTab('relations');
    go({ relation: next }, { replace: true });
  };
  const openImage = (key: number | null) => {
    if (key === null) return;
    const { relation: _, ...rest } = address.value;
    goTo({ ...rest, view: 'image', image: key });
  };
  const onRelation = (index: number, what: Parameters<typeof edit>[2]) => {
    const relation = relations[index];
    if (relation) edit(image, relation, what);
  };
  const actions: RelationActions = {
    approve: (index) => onRelation(index, { action: 'approve' }),
    reject: (index) => onRelation(index, { action: 'reject' }),
    unsure: (index) => onRelation(index, { action: 'unsure' }),
    change: (index, to) => onRelation(index, { action: 'change', to }),
    swap: (index) => {
      const relation = relations[index];
      const ref = relation && currentRef(relation);
      if (!ref || ref.object === null) return;
      onRelation(index, { action: 'change', to: { ...ref, subject: ref.object, object: ref.subject } });
    },
  };
  const judge = (action: (index: number) => void) => () => {
    if (selected < 0) return;
    if (!isPinned) return select(selected);
    action(selected);
    if (selected < relations.length - 1) select(selected + 1);
  };
  const add = (relation: RelationRef) => {
    edit(image, relation, { action: 'add' });
    stopDrawing();
  };
  const stopDrawing = () => {
    setDrawing(false);
    setPair(null);
  };

  useShortcuts('Image', [
    { keys: ['ArrowDown', 'j'], does: 'next relation', run: () => select(isPinned ? selected + 1 : selected) },
    { keys: ['ArrowUp', 'k'], does: 'relation before', run: () => select(isPinned ? selected - 1 : selected) },
    { keys: ['ArrowRight', 'n'], does: 'next image', run: () => openImage(detail.next) },
    { keys: ['ArrowLeft', 'p'], does: 'image before', run: () => openImage(detail.previous) },
    { keys: ['+', '='], does: 'magnify', run: () => controls.current?.zoom(1.25) },
    { keys: ['-'], does: 'make smaller', run: () => controls.current?.zoom(0.8) },
    { keys: ['0', 'z'], does: 'whole picture', run: () => controls.current?.fit() },
    { keys: ['I'], does: 'move the picture down', run: () => controls.current?.pan(0, 60) },
    { keys: ['K'], does: 'move the picture up', run: () => controls.current?.pan(0, -60) },
    { keys: ['J'], does: 'move the picture right', run: () => controls.current?.pan(60, 0) },
    { keys: ['L'], does: 'move the picture left', run: () => controls.current?.pan(-60, 0) },
    { keys: ['l'], does: 'labels: names, numbers or none', run: () => setLabels(nextLabels(labels)) },
    { keys: ['r'], does: 'arrows on or off', run: () => setShowsRelations(!showsRelations) },
    {
      keys: ['c'],
      does: 'relations or candidates',
      run: () => setTab(tab === 'candidates' ? 'relations' : 'candidates'),
    },
    {
      keys: ['Escape'],
      does: 'back',
      run: () => {
        if (isDrawing) stopDrawing();
        else if (isPinned) setPinned(false);
        else go({ view: 'images' });
      },
    },
  ]);
  useShortcuts('Correct', [
    { keys: ['a'], does: 'approve, then the next relation', run: judge(actions.approve) },
    { keys: ['x'], does: 'reject, then the next relation', run: judge(actions.reject) },
    { keys: ['s'], does: 'unsure, then the next relation', run: judge(actions.unsure) },
    {
      keys: ['e'],
      does: 'change the predicate',
      run: () => {
        if (selected < 0) return;
        select(selected);
        setChanging(selected);
      },
    },
    { keys: ['w'], does: 'swap subject and object', run: () => isPinned && actions.swap(selected) },
    { keys: ['d'], does: 'draw a new relation', run: () => (isDrawing ? stopDrawing() : setDrawing(true)) },
  ]);

  const hasPicture = setInfo.value?.hasPictures && detail.pictureProblem === undefined;
  const reviewed = relations.filter(({ review }) => review.state !== 'unreviewed').length;
  const tabs: readonly [Tab, string, number][] = [
    ['relations', 'Relations', relations.length],
    ...(candidates.length > 0 ? [['candidates', 'Candidates', candidates.length] satisfies [Tab, string, number]] : []),
  ];
  return (
    <div class="image-view">
      <div class="image-main">
        <div class="image-head">
          <button type="button" onClick={() => go({ view: 'images' })} aria-label="Back to the images">
            ← Images
          </button>
          <h1 title={`${detail.dataset} ${detail.split}, id ${detail.id}`}>{detail.file}</h1>
          <span class="count">
            {detail.width} × {detail.height}
          </span>
          <span class="steps">
            <button
              type="button"
              disabled={detail.previous === null}
              onClick={() => openImage(detail.previous)}
              aria-label="Image before"
            >
              ‹
            </button>
            <button
              type="button"
              disabled={detail.next === null}
              onClick={() => openImage(detail.next)}
              aria-label="Next image"
            >
              ›
            </button>
          </span>
        </div>
        <div class="image-tools">
          <button
            type="button"
            aria-pressed={isDrawing}
            disabled={objects.length < 2}
            onClick={() => (isDrawing ? stopDrawing() : setDrawing(true))}
          >
            Draw a relation <kbd>d</kbd>
          </button>
          <button
            type="button"
            aria-pressed={labels !== 'none'}
            title="Names and numbers, numbers, or none"
            onClick={() => setLabels(nextLabels(labels))}
          >
            Labels{labels === 'auto' ? '' : `: ${labels}`} <kbd>l</kbd>
          </button>
          <button type="button" aria-pressed={showsRelations} onClick={() => setShowsRelations(!showsRelations)}>
            Arrows <kbd>r</kbd>
          </button>
          <button type="button" onClick={() => controls.current?.zoom(1.25)} aria-label="Magnify">
            +
          </button>
          <button type="button" onClick={() => controls.current?.zoom(0.8)} aria-label="Make smaller">
            −
          </button>
          <button type="button" onClick={() => controls.current?.fit()}>
            Fit <kbd>0</kbd>
          </button>
        </div>
        {isDrawing && <NewRelation objects={objects} pair={pair} onPair={setPair} onAdd={add} onCancel={stopDrawing} />}
        <div class="image-scene">
          <SceneView
            picture={hasPicture ? pictureLink(image) : null}
            description={`${detail.file} with ${objects.length} boxes`}
            width={detail.width}
            height={detail.height}
            objects={objects}
            relations={scene}
            lit={lit}
            labels={labels}
            showsRelations={showsRelations}
            isDrawing={isDrawing && pair === null}
            onHover={setHovered}
            onSelect={(key) => key.startsWith('r') && select(Number(key.slice(1)))}
            onDrawn={(subject, object) => setPair({ subject, object })}
            controls={controls}
          />
        </div>
        {detail.pictureProblem && <p class="nothing">{detail.pictureProblem}</p>}
        <Captions detail={detail} lit={shown} />
      </div>
      <aside class="image-side" aria-label="Relations of the image">
        <div
          class="tabs"
          role="tablist"
          tabIndex={-1}
          aria-label="Relations, candidates"
          onKeyDown={(event) => {
            const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
            if (step === 0) return;
            event.preventDefault();
            const at = tabs.findIndex(([name]) => name === tab);
            const [next] = tabs[(at + step + tabs.length) % tabs.length]!;
            setTab(next);
            event.currentTarget.querySelector<HTMLElement>(`[data-tab="${next}"]`)?.focus();
          }}
        >
          {tabs.map(([name, label, count]) => (
            <button
              key={name}
              type="button"
              role="tab"
              data-tab={name}
              aria-selected={tab === name}
              tabIndex={tab === name ? 0 : -1}
              onClick={() => setTab(name)}
            >
              {label} <span class="count">{count}</span>
            </button>
          ))}
          {reviewed > 0 && <span class="count reviewed">{reviewed} reviewed</span>}
        </div>
        <div class="side-content" role="tabpanel" aria-label={tab}>
          {tab === 'relations' && (
            <RelationList
              image={image}
              objects={objects}
              relations={relations}
              selected={isPinned ? selected : -1}
              lit={lit}
              changing={changing}
              actions={actions}
              onHover={setHovered}
              onSelect={select}
              onChange={setChanging}
            />
          )}
          {tab === 'candidates' && (
            <CandidateList
              objects={objects}
              candidates={candidates}
              stages={detail.stages}
              command={`relflow inspect ${detail.id} ${setInfo.value?.name}`}
              lit={lit}
              onHover={setHovered}
              onAdd={({ subject, predicate, object }) => add({ subject, predicate, object })}
            />
          )}
        </div>
        <SceneGraphView
          names={objects.map(({ category }, index) => `${index} ${category}`)}
          relations={drawn}
          lit={lit}
          onHover={setHovered}
          onSelect={(key) => select(Number(key.slice(1)))}
        />
      </aside>
      <p class="hidden" role="status">
        {shown && relationText(objects, shown.relation)}
      </p>
    </div>
  );
}
