import { useState } from 'preact/hooks';
import type { Count, Facets } from '../../view-api.js';
import { type FacetName, isEmptyFilter } from '../address.js';
import { filter, refine } from '../navigation.js';
import { setInfo } from '../set-info.js';
import { ConfidenceFacet } from './confidence-facet.js';
import { RelationCountFacet } from './relation-count-facet.js';

const LABELS: Readonly<Record<FacetName, string>> = {
  predicate: 'Predicate',
  subject: 'Subject',
  object: 'Object',
  source: 'Source',
  review: 'Review',
  tagger: 'Tagger',
  dropped: 'Dropped candidates',
};
const ORDER: readonly FacetName[] = ['predicate', 'subject', 'object', 'source', 'review', 'dropped', 'tagger'];

/** Values that a facet shows before one asks for more. */
const SHORT = 7;

/** All facets with counts under the rest of the filter. */
export function FacetPanel({ facets }: { readonly facets: Facets }) {
  const present = filter.value;
  const shown = ORDER.filter((name) => facets[name].length > 1 || (present[name]?.length ?? 0) > 0);
  return (
    <div class="facets">
      <div class="facet-head">
        <h2>Filter</h2>
        <button
          type="button"
          class="plain"
          disabled={isEmptyFilter(present)}
          onClick={() => refine(Object.fromEntries(Object.keys(present).map((name) => [name, undefined])))}
        >
          Clear all
        </button>
      </div>
      {setInfo.value?.hasCaptions && <WordsFacet />}
      <ConfidenceFacet bins={facets.confidence} />
      {shown.slice(0, 3).map((name) => (
        <ValueFacet key={name} name={name} counts={facets[name]} />
      ))}
      <RelationCountFacet counts={facets.relationsPerImage} />
      {shown.slice(3).map((name) => (
        <ValueFacet key={name} name={name} counts={facets[name]} />
      ))}
    </div>
  );
}

function ValueFacet({ name, counts }: { readonly name: FacetName; readonly counts: readonly Count[] }) {
  const [search, setSearch] = useState('');
  const [isLong, setLong] = useState(false);
  const chosen = (filter.value[name] ?? []) as readonly string[];
  const text = search.trim().toLowerCase();
  const matching = counts.filter(({ value }) => value.toLowerCase().includes(text));
  // What is chosen stays in view, also with a count of 0.
  const missing = chosen
    .filter((value) => !counts.some((count) => count.value === value))
    .map((value) => ({ value, count: 0 }));
  const first = matching.slice(0, isLong || text ? 200 : SHORT);
  const rest = matching.filter((count) => chosen.includes(count.value) && !first.includes(count));
  const values = [...missing, ...first, ...rest];
  const most = Math.max(1, ...counts.map(({ count }) => count));
  const toggle = (value: string) =>
    refine({ [name]: chosen.includes(value) ? chosen.filter((other) => other !== value) : [...chosen, value] });
  return (
    <section class="facet" aria-label={LABELS[name]}>
      <h3>
        {LABELS[name]} <span class="count">{counts.length >= 200 ? '200+' : counts.length}</span>
      </h3>
      {counts.length > SHORT && (
        <input
          type="search"
          placeholder={`Find a ${LABELS[name].toLowerCase()}`}
          aria-label={`Find a ${LABELS[name].toLowerCase()}`}
          value={search}
          onInput={(event) => setSearch(event.currentTarget.value)}
        />
      )}
      <ul>
        {values.map(({ value, count }) => (
          <li key={value}>
            <label>
              <input type="checkbox" checked={chosen.includes(value)} onChange={() => toggle(value)} />
              <svg class="share" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
                <rect width={Math.max(0.5, (100 * count) / most)} height="4" />
              </svg>
              <span class="value">{value === '' ? <i>none</i> : value}</span>
              <span class="count">{count.toLocaleString('en-US')}</span>
            </label>
          </li>
        ))}
      </ul>
      {!text && counts.length > SHORT && (
        <button type="button" class="plain more" onClick={() => setLong(!isLong)} aria-expanded={isLong}>
          {isLong ? 'Show fewer' : `Show ${Math.min(counts.length, 200) - SHORT} more`}
        </button>
      )}
    </section>
  );
}

function WordsFacet() {
  const words = filter.value.words ?? '';
  return (
    <section class="facet">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const text = String(new FormData(event.currentTarget).get('words') ?? '').trim();
          refine({ words: text || undefined });
        }}
      >
        <label>
          <h3>Words in captions</h3>
          <input
            type="search"
            name="words"
            key={words}
            defaultValue={words}
            placeholder="riding a horse"
            onChange={(event) => event.currentTarget.form?.requestSubmit()}
          />
        </label>
      </form>
    </section>
  );
}
