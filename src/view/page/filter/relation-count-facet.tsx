import { filter, refine } from '../navigation.js';

/** Images by their number of relations; a bar selects that number, a second one the range between them. */
export function RelationCountFacet({ counts }: { readonly counts: readonly number[] }) {
  const { minRelations, maxRelations } = filter.value;
  const most = Math.max(1, ...counts);
  const last = counts.length - 1;
  const isIn = (number: number) =>
    number >= (minRelations ?? 0) && number <= (maxRelations ?? Number.POSITIVE_INFINITY);
  const select = (number: number, isRange: boolean) => {
    const high = number === last ? undefined : number;
    if (isRange && minRelations !== undefined) {
      const [a, b] = [Math.min(minRelations, number), Math.max(minRelations, number)];
      refine({ minRelations: a, maxRelations: b === last ? undefined : b });
    } else if (minRelations === number && maxRelations === high)
      refine({ minRelations: undefined, maxRelations: undefined });
    else refine({ minRelations: number, maxRelations: high });
  };
  return (
    <section class="facet relation-count" aria-label="Relations an image">
      <h3>
        Relations an image{' '}
        {(minRelations !== undefined || maxRelations !== undefined) && (
          <span class="count">
            {minRelations ?? 0} to {maxRelations ?? 'any'}
          </span>
        )}
      </h3>
      <div class="columns">
        {counts.map((count, number) => (
          <button
            key={number}
            type="button"
            class={isIn(number) ? 'in' : 'out'}
            title={`${count.toLocaleString('en-US')} images with ${number}${number === last ? ' or more' : ''} (Shift: a range)`}
            aria-label={`${number}${number === last ? ' or more' : ''} relations: ${count} images`}
            aria-pressed={minRelations !== undefined && isIn(number)}
            onClick={(event) => select(number, event.shiftKey)}
          >
            <svg viewBox="0 0 10 36" preserveAspectRatio="none" aria-hidden="true">
              <rect
                width="10"
                y={36 - (34 * count) / most}
                height={count === 0 ? 0 : Math.max(1.5, (34 * count) / most)}
              />
            </svg>
          </button>
        ))}
      </div>
      <div class="axis" aria-hidden="true">
        <span>0</span>
        <span>{last}+</span>
      </div>
    </section>
  );
}
