import { useState } from 'preact/hooks';
import type { ImageObject, RelationRef } from '../../view-api.js';
import { PredicateInput } from '../review/predicate-input.js';

interface Props {
  readonly objects: readonly ImageObject[];
  /** The boxes that a drag connected; null until there is one. */
  readonly pair: { readonly subject: number; readonly object: number } | null;
  readonly onPair: (pair: { readonly subject: number; readonly object: number }) => void;
  readonly onAdd: (relation: RelationRef) => void;
  readonly onCancel: () => void;
}

/** The bar in which a new relation is made: by a drag from box to box, or from lists with the keyboard. */
export function NewRelation({ objects, pair, onPair, onAdd, onCancel }: Props) {
  const [subject, setSubject] = useState(0);
  const [object, setObject] = useState(Math.min(1, objects.length - 1));
  const options = objects.map(({ category }, index) => (
    <option key={index} value={index}>
      {index} {category}
    </option>
  ));
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== 'Escape') return;
    event.stopPropagation();
    onCancel();
  };
  if (pair)
    return (
      <div class="new-relation">
        <span class="part subject">
          <small>{pair.subject}</small> {objects[pair.subject]?.category}
        </span>
        <PredicateInput
          key={`${pair.subject} ${pair.object}`}
          value=""
          label="Predicate of the new relation"
          onChoose={(predicate) => onAdd({ ...pair, predicate })}
          onCancel={onCancel}
        />
        <span class="part object">
          <small>{pair.object}</small> {objects[pair.object]?.category}
        </span>
        <button type="button" class="plain" onClick={onCancel}>
          Cancel <kbd>Esc</kbd>
        </button>
      </div>
    );
  return (
    <form
      class="new-relation"
      onKeyDown={onKeyDown}
      onSubmit={(event) => {
        event.preventDefault();
        onPair({ subject, object });
      }}
    >
      <span>Drag from the subject to the object, or choose:</span>
      <select
        aria-label="Subject"
        value={subject}
        ref={(element) => element?.focus()}
        onChange={(event) => setSubject(Number(event.currentTarget.value))}
      >
        {options}
      </select>
      <span aria-hidden="true">→</span>
      <select aria-label="Object" value={object} onChange={(event) => setObject(Number(event.currentTarget.value))}>
        {options}
      </select>
      <button type="submit" disabled={subject === object}>
        Next
      </button>
      <button type="button" class="plain" onClick={onCancel}>
        Cancel <kbd>Esc</kbd>
      </button>
    </form>
  );
}
