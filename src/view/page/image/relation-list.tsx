import { useEffect, useRef } from 'preact/hooks';
import type { ImageObject, ImageRelation, RelationRef } from '../../view-api.js';
import { isWaiting } from '../edits.js';
import { PredicateInput } from '../review/predicate-input.js';
import { currentRef, relationText } from './shown-relation.js';

/** What one can do to a relation. */
export interface RelationActions {
  readonly approve: (index: number) => void;
  readonly reject: (index: number) => void;
  readonly unsure: (index: number) => void;
  readonly swap: (index: number) => void;
  readonly change: (index: number, to: RelationRef) => void;
}

interface Props {
  readonly image: number;
  readonly objects: readonly ImageObject[];
  readonly relations: readonly ImageRelation[];
  readonly selected: number;
  readonly lit: string | null;
  /** Index of the relation whose predicate is being written; null if none is. */
  readonly changing: number | null;
  readonly actions: RelationActions;
  readonly onHover: (key: string | null) => void;
  readonly onSelect: (index: number) => void;
  readonly onChange: (index: number | null) => void;
}

const SOURCES: Readonly<Record<ImageRelation['source'], string>> = {
  caption: 'stated by a caption',
  geometry: 'found from the boxes',
  proposal: 'proposed by a model',
  predicates: 'from a list of predicates',
  people: 'annotated by people',
};
const STATES: Readonly<Record<ImageRelation['review']['state'], string>> = {
  unreviewed: '',
  approved: '✓ approved',
  rejected: '✗ rejected',
  changed: '✎ changed',
  added: '+ added',
  unsure: '? unsure',
};

/** The relations of an image with what people said about them. */
export function RelationList(props: Props) {
  const { image, objects, relations, selected, lit, changing, actions, onHover, onSelect, onChange } = props;
  const list = useRef<HTMLOListElement>(null);
  useEffect(() => {
    list.current?.children[selected]?.scrollIntoView({ block: 'nearest' });
  }, [selected]);
  if (relations.length === 0)
    return <p class="nothing">No relations. Draw one from box to box with “Draw a relation” or d.</p>;
  return (
    <ol class="relations" aria-label="Relations" ref={list}>
      {relations.map((relation, index) => {
        const ref = currentRef(relation);
        const { review, confidence, source, captions, wordings, matches } = relation;
        const isSaving = isWaiting(image, relation);
        const isSelected = index === selected;
        return (
          <li
            key={index}
            class={`${review.state} ${isSelected ? 'selected' : ''} ${lit === `r${index}` ? 'lit' : ''} ${matches ? '' : 'outside'}`}
            onPointerEnter={() => onHover(`r${index}`)}
            onPointerLeave={() => onHover(null)}
          >
            <button
              type="button"
              class="relation"
              aria-pressed={isSelected}
              aria-label={`${relationText(objects, ref)}${review.state === 'unreviewed' ? '' : `, ${review.state}`}`}
              onClick={() => onSelect(index)}
              onFocus={() => onHover(`r${index}`)}
              onBlur={() => onHover(null)}
            >
              <Part objects={objects} index={ref.subject} part="subject" />
              <b>{ref.predicate}</b>
              {ref.object !== null && <Part objects={objects} index={ref.object} part="object" />}
              <span class="confidence" title={SOURCES[source]}>
                {confidence === null ? source : confidence.toFixed(2)}
              </span>
            </button>
            <p class="about">
              <span>
                {captions.length > 0 ? `caption ${captions.map((at) => at + 1).join(', ')}` : SOURCES[source]}
              </span>
              {wordings.length > 0 && <span>also: {wordings.map(({ predicate }) => predicate).join(', ')}</span>}
              {review.to && (
                <span>
                  was <s>{relationText(objects, relation)}</s>
                </span>
              )}
              {isSaving ? (
                <span class="saving">saving…</span>
              ) : (
                review.state !== 'unreviewed' && (
                  <span class={`state ${review.state}`}>
                    {STATES[review.state]}
                    {review.who && ` by ${review.who}`}
                    {review.isConflict && ' (people disagree)'}
                  </span>
                )
              )}
            </p>
            {isSelected && changing === index && (
              <PredicateInput
                value={ref.predicate}
                label={`Predicate of ${relationText(objects, ref)}`}
                onChoose={(predicate) => {
                  if (predicate !== ref.predicate) actions.change(index, { ...ref, predicate });
                  onChange(null);
                }}
                onCancel={() => onChange(null)}
              />
            )}
            {isSelected && changing !== index && (
              <div class="actions">
                <button type="button" class="good" onClick={() => actions.approve(index)}>
                  Approve <kbd>a</kbd>
                </button>
                <button type="button" class="bad" onClick={() => actions.reject(index)}>
                  Reject <kbd>x</kbd>
                </button>
                <button type="button" onClick={() => actions.unsure(index)} title="I cannot tell">
                  Unsure <kbd>s</kbd>
                </button>
                <button type="button" onClick={() => onChange(index)}>
                  Change <kbd>e</kbd>
                </button>
                <button type="button" onClick={() => actions.swap(index)} disabled={ref.object === null}>
                  Swap <kbd>w</kbd>
                </button>
              </div>
            )}
          </li>
        );
      })}
    </ol>
  );
}

function Part({
  objects,
  index,
  part,
}: {
  readonly objects: readonly ImageObject[];
  readonly index: number;
  readonly part: 'subject' | 'object';
}) {
  return (
    <span class={`part ${part}`}>
      <small>{index}</small> {objects[index]?.category ?? '?'}
    </span>
  );
}
