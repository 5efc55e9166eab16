import { useEffect, useRef, useState } from 'preact/hooks';
import type { CompareCard, ComparePage } from '../../view-api.js';
import { filterParameters } from '../address.js';
import { api, pictureLink, type RequestError } from '../api.js';
import { ExpressionBox } from '../filter/expression-box.js';
import { FilterChips } from '../filter/filter-chips.js';
import { useShortcuts } from '../keyboard.js';
import { address, go } from '../navigation.js';
import { PageLink } from '../page-link.js';
import { readVersion, setInfo } from '../set-info.js';
import { CompareImage } from './compare-image.js';

/** Images a request. */
const PAGE = 60;

/** Two sets side by side: the images with the most differences first, or one image. */
export function CompareView() {
  const { image } = address.value;
  const info = setInfo.value;
  if (!info?.compare)
    return <p class="nothing">Nothing to compare with: start relflow view with --compare and another run.</p>;
  const names = { here: info.name, there: info.compare.name };
  if (names.here === names.there) names.there = `${names.there} (compared)`;
  return image === undefined ? <CompareList names={names} /> : <CompareImage key={image} image={image} names={names} />;
}

function CompareList({ names }: { readonly names: { readonly here: string; readonly there: string } }) {
  const { filter } = address.value;
  const [page, setPage] = useState<ComparePage | null>(null);
  const [cards, setCards] = useState<readonly CompareCard[]>([]);
  const [error, setError] = useState<RequestError | null>(null);
  const [wanted, setWanted] = useState(PAGE);
  const list = `${filterParameters(filter)} ${setInfo.value?.compare?.indexing.done}`;
  const version = `${list} ${readVersion.value}`;
  /** How many cards of which version there are. */
  const loaded = useRef({ version: '', count: 0 });
  useEffect(() => {
    setCards([]);
    setWanted(PAGE);
  }, [list]);
  useEffect(() => {
    const controller = new AbortController();
    // A new version of the list replaces what is shown when all of it is there.
    const kept = loaded.current.version === version ? loaded.current.count : 0;
    const load = async () => {
      const more: CompareCard[] = [];
      for (let offset = kept; offset < wanted; offset += PAGE) {
        const next = await api.comparisons(filter, offset, PAGE, controller.signal);
        more.push(...next.images);
        setPage(next);
        if (next.images.length < PAGE) break;
      }
      loaded.current = { version, count: kept + more.length };
      setCards((before) => [...before.slice(0, kept), ...more]);
      setError(null);
    };
    load().catch((problem: RequestError) => {
      if (!controller.signal.aborted) setError(problem);
    });
    return () => controller.abort();
  }, [version, wanted]);
  useShortcuts('Compare', [
    {
      keys: ['Enter', 'o'],
      does: 'open the image with the most differences',
      run: () => cards[0] && go({ view: 'compare', image: cards[0].key }),
    },
  ]);
  const most = Math.max(1, ...cards.map(({ onlyHere, onlyThere, both }) => onlyHere + onlyThere + both));
  return (
    <div class="compare-view">
      <div class="toolbar">
        <ExpressionBox />
      </div>
      <div class="summary">
        <FilterChips />
        {page?.isPartial && <p>The sets are still being read; numbers grow.</p>}
      </div>
      {error && (
        <p class="problem" role="alert">
          {error.message}
        </p>
      )}
      {page && (
        <div class="compare">
          <section class="chart" aria-label="Images, those with the most differences first">
            <h2>
              Images <span class="count">most differences first, {page.total.toLocaleString('en-US')} in all</span>
            </h2>
            <Legend names={names} />
            <ol class="compare-list">
              {cards.map(({ key: image, file, onlyHere, both, onlyThere, isInOther }) => (
                <li key={image}>
                  <PageLink
                    to={{ ...address.value, view: 'compare', image }}
                    aria-label={`${file}: ${onlyHere} only in ${names.here}, ${both} in both, ${onlyThere} only in ${names.there}`}
                  >
                    {setInfo.value?.hasPictures && <img src={pictureLink(image, 160)} alt="" loading="lazy" />}
                    <span class="file">{file}</span>
                    {isInOther ? (
                      <svg viewBox={`0 0 ${most} 10`} preserveAspectRatio="none" aria-hidden="true">
                        <rect class="here" width={onlyHere} height="10" />
                        <rect class="both" x={onlyHere} width={both} height="10" />
                        <rect class="there" x={onlyHere + both} width={onlyThere} height="10" />
                      </svg>
                    ) : (
                      <i>not in {names.there}</i>
                    )}
                    <span class="numbers">
                      {onlyHere} · {both} · {onlyThere}
                    </span>
                  </PageLink>
                </li>
              ))}
            </ol>
            {cards.length < page.total && (
              <button type="button" class="plain" onClick={() => setWanted(wanted + PAGE)}>
                Show more
              </button>
            )}
          </section>
          <section class="chart" aria-label="Sums">
            <h2>Sums</h2>
            <Sums page={page} names={names} />
            <h2>Predicates by difference</h2>
            <Predicates page={page} names={names} />
          </section>
        </div>
      )}
    </div>
  );
}

function Legend({ names }: { readonly names: { readonly here: string; readonly there: string } }) {
  return (
    <p class="legend">
      <span class="here">only in {names.here}</span>
      <span class="both">in both</span>
      <span class="there">only in {names.there}</span>
    </p>
  );
}

function Sums({
  page: { totals },
  names,
}: {
  readonly page: ComparePage;
  readonly names: { here: string; there: string };
}) {
  const rows = [
    ['in both', totals.both],
    [`only in ${names.here}`, totals.onlyHere],
    [`only in ${names.there}`, totals.onlyThere],
    [`images only in ${names.here}`, totals.imagesOnlyHere],
    [`images only in ${names.there}`, totals.imagesOnlyThere],
  ] as const;
  return (
    <table>
      <tbody>
        {rows.map(([name, count]) => (
          <tr key={name}>
            <td>{name}</td>
            <td class="number">{count.toLocaleString('en-US')}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Predicates({
  page: { predicates },
  names,
}: {
  readonly page: ComparePage;
  readonly names: { here: string; there: string };
}) {
  return (
    <div class="table">
      <table>
        <thead>
          <tr>
            <th>Predicate</th>
            <th class="number">{names.here}</th>
            <th class="number">{names.there}</th>
            <th class="number">difference</th>
          </tr>
        </thead>
        <tbody>
          {predicates.map(({ predicate, here, there }) => (
            <tr key={predicate}>
              <td>{predicate}</td>
              <td class="number">{here.toLocaleString('en-US')}</td>
              <td class="number">{there.toLocaleString('en-US')}</td>
              <td class="number">{signed(there - here)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const signed = (value: number): string =>
  value === 0 ? '0' : `${value > 0 ? '+' : '−'}${Math.abs(value).toLocaleString('en-US')}`;
