import { useMemo, useState } from 'preact/hooks';
import type { ImageDetail, ImageRelation } from '../../view-api.js';
import { filterParameters } from '../address.js';
import { api, pictureLink } from '../api.js';
import type { View } from '../drawing/pan-zoom.js';
import type { SceneRelation } from '../drawing/scene.js';
import { SceneView } from '../drawing/scene-view.js';
import { currentRef, relationText } from '../image/shown-relation.js';
import { useShortcuts } from '../keyboard.js';
import { address, go, goTo } from '../navigation.js';
import { othersEdits, setInfo } from '../set-info.js';
import { useLoaded } from '../use-loaded.js';

interface Side {
  readonly name: string;
  readonly detail: Omit<ImageDetail, 'previous' | 'next'>;
  /** Index of the same relation on the other side, or null. */
  readonly twins: readonly (number | null)[];
}

/** An image in both sets: two pictures that move together, and the relations with those first that only one set has. */
export function CompareImage({
  image,
  names,
}: {
  readonly image: number;
  readonly names: { readonly here: string; readonly there: string };
}) {
  const { filter } = address.value;
  const { value, error } = useLoaded(`${image} ${filterParameters(filter)} ${othersEdits.value}`, (signal) =>
    api.comparison(image, filter, signal),
  );
  const [view, setView] = useState<View | null>(null);
  const [lit, setLit] = useState<{ readonly side: number; readonly index: number } | null>(null);
  useShortcuts('Compare', [
    { keys: ['Escape'], does: 'back to the list', run: () => goBack() },
    { keys: ['0', 'z'], does: 'whole picture', run: () => setView(null) },
    { keys: ['Enter', 'o'], does: 'open the image to correct it', run: () => go({ view: 'image', image }) },
  ]);
  const goBack = () => {
    const { image: _, ...rest } = address.value;
    goTo({ ...rest, view: 'compare' });
  };
  if (error)
    return (
      <p class="problem" role="alert">
        {error.message}
      </p>
    );
  if (!value) return null;
  const sides: readonly (Side | null)[] = [
    { name: names.here, detail: value.here, twins: value.hereToThere },
    value.there && { name: names.there, detail: value.there, twins: value.thereToHere },
  ];
  const litOn = (side: number): string | null => {
    if (!lit) return null;
    if (lit.side === side) return `r${lit.index}`;
    const twin = sides[lit.side]?.twins[lit.index];
    return twin === null || twin === undefined ? null : `r${twin}`;
  };
  return (
    <div class="compare-image">
      <div class="image-head">
        <button type="button" onClick={goBack}>
          ← Differences
        </button>
        <h1>{value.here.file}</h1>
        <button type="button" class="plain" onClick={() => go({ view: 'image', image })}>
          Correct it <kbd>Enter</kbd>
        </button>
      </div>
      <div class="sides">
        {sides.map((side, at) =>
          side ? (
            <CompareSide
              key={side.name}
              side={side}
              image={image}
              lit={litOn(at)}
              shared={{ view, set: setView }}
              onHover={(index) => setLit(index === null ? null : { side: at, index })}
            />
          ) : (
            <p key="missing" class="nothing">
              {names.there} does not have this image.
            </p>
          ),
        )}
      </div>
    </div>
  );
}

function CompareSide({
  side: { name, detail, twins },
  image,
  lit,
  shared,
  onHover,
}: {
  readonly side: Side;
  readonly image: number;
  readonly lit: string | null;
  readonly shared: { readonly view: View | null; readonly set: (view: View) => void };
  readonly onHover: (index: number | null) => void;
}) {
  const scene = useMemo<readonly SceneRelation[]>(
    () =>
      detail.relations.map((relation, index) => ({
        ...currentRef(relation),
        key: `r${index}`,
        look: twins[index] === null ? 'only' : 'quiet',
      })),
    [detail],
  );
  const order = detail.relations
    .map((relation, index) => ({ relation, index, isOnly: twins[index] === null }))
    .sort((a, b) => Number(b.isOnly) - Number(a.isOnly) || a.index - b.index);
  const only = order.filter(({ isOnly }) => isOnly).length;
  const hover = (key: string | null) => onHover(key === null ? null : Number(key.slice(1)));
  return (
    <section class="side" aria-label={name}>
      <h2>
        {name}{' '}
        <span class="count">
          {detail.relations.length} relations, {only} only here
        </span>
      </h2>
      <div class="side-scene">
        <SceneView
          picture={setInfo.value?.hasPictures && !detail.pictureProblem ? pictureLink(image) : null}
          description={`${detail.file} in ${name}`}
          width={detail.width}
          height={detail.height}
          objects={detail.objects}
          relations={scene}
          lit={lit}
          labels="auto"
          showsRelations
          isDrawing={false}
          shared={shared}
          onHover={hover}
          onSelect={hover}
          onDrawn={() => undefined}
        />
      </div>
      <ol class="compare-relations">
        {order.map(({ relation, index, isOnly }) => (
          <li key={index} class={`${isOnly ? 'only' : ''} ${lit === `r${index}` ? 'lit' : ''}`}>
            <button
              type="button"
              class="relation"
              onPointerEnter={() => onHover(index)}
              onPointerLeave={() => onHover(null)}
              onFocus={() => onHover(index)}
              onBlur={() => onHover(null)}
            >
              <span>{isOnly ? 'only here' : 'both'}</span>
              {relationText(detail.objects, currentRef(relation))}
              <span class="confidence">{confidenceOf(relation)}</span>
            </button>
          </li>
        ))}
      </ol>
    </section>
  );
}

const confidenceOf = ({ confidence, source }: ImageRelation): string =>
  confidence === null ? source : confidence.toFixed(2);
