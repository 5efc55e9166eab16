import { useState } from 'preact/hooks';
import type { Charts, Count, Filter, TripletCount } from '../../view-api.js';
import { filterParameters } from '../address.js';
import { api } from '../api.js';
import { ExpressionBox } from '../filter/expression-box.js';
import { FilterChips } from '../filter/filter-chips.js';
import { address } from '../navigation.js';
import { PageLink } from '../page-link.js';
import { readVersion } from '../set-info.js';
import { useLoaded } from '../use-loaded.js';

/** What the set consists of; each bar and row leads to its pictures. */
export function ChartsView() {
  const { filter } = address.value;
  const { value, error } = useLoaded(`${filterParameters(filter)} ${readVersion.value}`, (signal) =>
    api.charts(filter, signal),
  );
  return (
    <div class="charts-view">
      <div class="toolbar">
        <ExpressionBox />
      </div>
      <div class="summary">
        <FilterChips />
        {value?.isPartial && <p>The set is still being read; numbers grow.</p>}
      </div>
      {error && (
        <p class="problem" role="alert">
          {error.message}
        </p>
      )}
      {value && (
        <div class="charts">
          <PredicateChart charts={value} />
          <div class="chart-column">
            <ConfidenceChart bins={value.confidence} />
            <TripletTable triplets={value.triplets} total={value.tripletCount} />
          </div>
        </div>
      )}
    </div>
  );
}

/** A link to the pictures of the present filter with one more constraint. */
function FilterLink({
  change,
  children,
  label,
}: {
  readonly change: Partial<Filter>;
  readonly children: preact.ComponentChildren;
  readonly label: string;
}) {
  const { image: _, relation: __, ...present } = address.value;
  const target = { ...present, view: 'images' as const, filter: { ...present.filter, ...change } };
  return (
    <PageLink to={target} aria-label={label}>
      {children}
    </PageLink>
  );
}

/** Predicates that the list shows before one asks for more. */
const SHORT = 40;

function PredicateChart({ charts: { predicates, predicateCount } }: { readonly charts: Charts }) {
  const [isLong, setLong] = useState(false);
  const all = predicates.reduce((sum, { count }) => sum + count, 0);
  const shown = predicates.slice(0, isLong ? predicates.length : SHORT);
  let half = 0;
  for (let sum = 0; half < predicates.length && sum < all / 2; half++) sum += predicates[half]!.count;
  const once = predicates.filter(({ count }) => count === 1).length;
  return (
    <section class="chart" aria-label="Predicates by frequency">
      <h2>
        Predicates <span class="count">{predicateCount.toLocaleString('en-US')}</span>
      </h2>
      {predicates.length > 1 && (
        <>
          <LongTail predicates={predicates} />
          <p class="note">
            {half === 1 ? 'One predicate makes' : `${half} predicates make`} up half of all relations;{' '}
            {once === 1 ? 'one occurs' : `${once.toLocaleString('en-US')} occur`} once. Bars have a logarithmic scale.
          </p>
        </>
      )}
      <Bars counts={shown} of={all} />
      {predicates.length > SHORT && (
        <button type="button" class="plain" onClick={() => setLong(!isLong)}>
          {isLong ? 'Show fewer' : `Show all ${predicates.length.toLocaleString('en-US')}`}
        </button>
      )}
    </section>
  );
}

function Bars({ counts, of }: { readonly counts: readonly Count[]; readonly of: number }) {
  const most = Math.log(1 + Math.max(1, ...counts.map(({ count }) => count)));
  return (
    <ol class="bars">
      {counts.map(({ value, count }) => (
        <li key={value}>
          <FilterLink change={{ predicate: [value] }} label={`${value}: ${count} relations`}>
            <span class="bar-name">{value}</span>
            <svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
              <rect width={(100 * Math.log(1 + count)) / most} height="10" />
            </svg>
            <span class="bar-count">{count.toLocaleString('en-US')}</span>
            <span class="count">{percent(count / of)}</span>
          </FilterLink>
        </li>
      ))}
    </ol>
  );
}

/** Frequency by rank, both logarithmic: a long tail is a line that falls. */
function LongTail({ predicates }: { readonly predicates: readonly Count[] }) {
  const [width, height, left, bottom] = [420, 130, 34, 20];
  const most = predicates[0]?.count ?? 1;
  const x = (rank: number) => left + ((width - left - 8) * Math.log(rank)) / Math.log(Math.max(2, predicates.length));
  const y = (count: number) =>
    height - bottom - ((height - bottom - 10) * Math.log(count)) / Math.log(Math.max(2, most));
  const powers = (end: number) => [1, 10, 100, 1000, 10_000, 100_000, 1_000_000].filter((value) => value <= end);
  return (
    <svg
      class="long-tail"
      viewBox={`0 0 ${width} ${height}`}
      role="img"
      aria-label="Relations by rank of the predicate"
    >
      {powers(most).map((value) => (
        <g key={value} class="tick">
          <path d={`M${left} ${y(value)}H${width}`} />
          <text x={left - 5} y={y(value) + 4} text-anchor="end">
            {short(value)}
          </text>
        </g>
      ))}
      {powers(predicates.length).map((value) => (
        <text key={value} class="tick" x={x(value)} y={height - 5} text-anchor="middle">
          {value === 1 ? 'rank 1' : short(value)}
        </text>
      ))}
      <path
        class="line"
        d={predicates.map(({ count }, at) => `${at === 0 ? 'M' : 'L'}${x(at + 1)} ${y(count)}`).join('')}
      />
      {predicates.slice(0, 400).map(({ value, count }, at) => (
        <circle key={value} r="2.2" cx={x(at + 1)} cy={y(count)}>
          <title>{`${value}: ${count}`}</title>
        </circle>
      ))}
    </svg>
  );
}

function ConfidenceChart({ bins }: { readonly bins: readonly number[] }) {
  const most = Math.max(1, ...bins);
  const all = bins.reduce((sum, count) => sum + count, 0);
  return (
    <section class="chart" aria-label="Confidence">
      <h2>
        Confidence <span class="count">{all.toLocaleString('en-US')} relations</span>
      </h2>
      {all === 0 ? (
        <p class="nothing">No relation has a confidence: people annotated them.</p>
      ) : (
        <div class="histogram">
          {bins.map((count, bin) => {
            const [low, high] = [bin / bins.length, (bin + 1) / bins.length];
            return (
              <FilterLink
                key={bin}
                change={{ minConfidence: round(low), maxConfidence: round(high) }}
                label={`${round(low)} to ${round(high)}: ${count} relations`}
              >
                <span class="bin-count">{count > 0 ? short(count) : ''}</span>
                <svg viewBox="0 0 10 100" preserveAspectRatio="none" aria-hidden="true">
                  <rect width="10" y={100 - (100 * count) / most} height={(100 * count) / most} />
                </svg>
                <span class="bin-name" aria-hidden="true">
                  {bin % 4 === 0 ? round(low) : ''}
                </span>
              </FilterLink>
            );
          })}
        </div>
      )}
    </section>
  );
}

function TripletTable({ triplets, total }: { readonly triplets: readonly TripletCount[]; readonly total: number }) {
  const [search, setSearch] = useState('');
  const text = search.trim().toLowerCase();
  const shown = triplets.filter(({ subject, predicate, object }) =>
    `${subject} ${predicate} ${object}`.toLowerCase().includes(text),
  );
  return (
    <section class="chart" aria-label="Subject, predicate, object">
      <h2>
        Subject × predicate × object{' '}
        <span class="count">
          {total > triplets.length ? `the ${triplets.length} most frequent of ` : ''}
          {total.toLocaleString('en-US')}
        </span>
      </h2>
      <input
        type="search"
        value={search}
        placeholder="Find a triplet"
        aria-label="Find a triplet"
        onInput={(event) => setSearch(event.currentTarget.value)}
      />
      <div class="table">
        <table>
          <thead>
            <tr>
              <th>Subject</th>
              <th>Predicate</th>
              <th>Object</th>
              <th class="number">Relations</th>
            </tr>
          </thead>
          <tbody>
            {shown.map(({ subject, predicate, object, count }) => (
              <tr key={`${subject}\n${predicate}\n${object}`}>
                <td>
                  <FilterLink
                    change={{ subject: [subject], predicate: [predicate], object: [object] }}
                    label={`${subject} ${predicate} ${object}: ${count} relations`}
                  >
                    {subject}
                  </FilterLink>
                </td>
                <td>{predicate}</td>
                <td>{object || <i>none</i>}</td>
                <td class="number">{count.toLocaleString('en-US')}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

const percent = (share: number): string => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;
const round = (value: number): number => Math.round(value * 100) / 100;
const short = (value: number): string =>
  value >= 1_000_000 ? `${value / 1_000_000}M` : value >= 10_000 ? `${Math.round(value / 1000)}k` : String(value);
