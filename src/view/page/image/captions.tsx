import type { ImageDetail } from '../../view-api.js';
import { litWords } from './caption-words.js';
import type { ShownRelation } from './shown-relation.js';

interface Props {
  readonly detail: ImageDetail;
  readonly lit: ShownRelation | null;
}

/** The captions; those that state the lit relation have its words marked. */
export function Captions({ detail: { captions, objects }, lit }: Props) {
  if (captions.length === 0) return null;
  const categories = {
    subject: objects[lit?.relation.subject ?? -1]?.category ?? '',
    object: objects[lit?.relation.object ?? -1]?.category ?? '',
  };
  return (
    <ol class="captions" aria-label="Captions">
      {captions.map(({ text, source }, index) => {
        const marks = lit ? litWords({ text, index }, lit.relation, categories) : [];
        const isStating = lit?.relation.captions.includes(index) ?? false;
        let at = 0;
        return (
          // Captions may be equal; their position names them.
          <li key={index} data-number={index + 1} class={isStating ? 'stating' : ''} title={source}>
            {marks.map(({ start, end, part }) => {
              const before = text.slice(at, start);
              at = end;
              return (
                <>
                  {before}
                  <mark class={part}>{text.slice(start, end)}</mark>
                </>
              );
            })}
            {text.slice(at)}
          </li>
        );
      })}
    </ol>
  );
}
