import { FACETS } from '../address.js';
import { filter, refine } from '../navigation.js';

/** The parts of the filter, each with a button that takes it away. */
export function FilterChips() {
  const present = filter.value;
  const { where, words, minConfidence, maxConfidence, minRelations, maxRelations } = present;
  const chips: { readonly text: string; readonly remove: () => void }[] = [];
  if (where) chips.push({ text: where, remove: () => refine({ where: undefined }) });
  if (words) chips.push({ text: `caption: ${words}`, remove: () => refine({ words: undefined }) });
  for (const name of FACETS) {
    const values = (present[name] ?? []) as readonly string[];
    for (const value of values)
      chips.push({
        text: `${name}: ${value || 'none'}`,
        remove: () => refine({ [name]: values.filter((other) => other !== value) }),
      });
  }
  if (minConfidence !== undefined || maxConfidence !== undefined)
    chips.push({
      text: `confidence: ${minConfidence ?? 0} to ${maxConfidence ?? 1}`,
      remove: () => refine({ minConfidence: undefined, maxConfidence: undefined }),
    });
  if (minRelations !== undefined || maxRelations !== undefined)
    chips.push({
      text: `relations: ${minRelations ?? 0} to ${maxRelations ?? 'any'}`,
      remove: () => refine({ minRelations: undefined, maxRelations: undefined }),
    });
  if (chips.length === 0) return null;
  return (
    <ul class="chips" aria-label="Parts of the filter">
      {chips.map(({ text, remove }) => (
        <li key={text}>
          <button type="button" onClick={remove} aria-label={`Remove ${text}`} title={`Remove ${text}`}>
            <span>{text}</span> <span aria-hidden="true">×</span>
          </button>
        </li>
      ))}
    </ul>
  );
}
