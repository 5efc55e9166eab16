import type { ImageCandidate, ImageObject } from '../../view-api.js';
import { relationText } from './shown-relation.js';

interface Props {
  readonly objects: readonly ImageObject[];
  readonly candidates: readonly ImageCandidate[];
  /** What the image passed through, and the command that traces it. */
  readonly stages: readonly { readonly name: string; readonly version: string }[];
  readonly command: string;
  readonly lit: string | null;
  readonly onHover: (key: string | null) => void;
  /** Adds a dropped candidate as a relation. */
  readonly onAdd: (candidate: ImageCandidate) => void;
}

/** The candidates by what became of them, dropped ones first. */
export function CandidateList({ objects, candidates, stages, command, lit, onHover, onAdd }: Props) {
  const reasons = [...new Set(candidates.map(({ reason }) => reason))].sort(
    (a, b) => Number(a === 'kept') - Number(b === 'kept'),
  );
  return (
    <div class="candidates">
      {reasons.map((reason) => {
        const these = candidates
          .map((candidate, index) => ({ candidate, index }))
          .filter(({ candidate }) => candidate.reason === reason);
        return (
          <details key={reason} open={reason !== 'kept' || reasons.length === 1}>
            <summary>
              {reason} <span class="count">{these.length}</span>
            </summary>
            <ol>
              {these.map(({ candidate, index }) => (
                <li
                  key={index}
                  class={lit === `c${index}` ? 'lit' : ''}
                  onPointerEnter={() => onHover(`c${index}`)}
                  onPointerLeave={() => onHover(null)}
                >
                  <span class="candidate">{relationText(objects, candidate)}</span>
                  <span class="why">{candidate.why}</span>
                  {!candidate.isKept && (
                    <button
                      type="button"
                      class="plain"
                      aria-label={`Add ${relationText(objects, candidate)}`}
                      title="Add it as a relation"
                      onFocus={() => onHover(`c${index}`)}
                      onClick={() => onAdd(candidate)}
                    >
                      Add
                    </button>
                  )}
                </li>
              ))}
            </ol>
          </details>
        );
      })}
      <p class="stages">
        {stages.map(({ name, version }) => `${name} ${version}`).join(' → ')}. Every decision of every stage:{' '}
        <code>{command}</code>
      </p>
    </div>
  );
}
