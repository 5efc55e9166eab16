import { useState } from 'preact/hooks';
import type { ImageSort } from '../../view-api.js';
import { filterParameters } from '../address.js';
import { savedCount } from '../edits.js';
import { ExpressionBox } from '../filter/expression-box.js';
import { FacetPanel } from '../filter/facet-panel.js';
import { FilterChips } from '../filter/filter-chips.js';
import { useFacets } from '../filter/use-facets.js';
import { useShortcuts } from '../keyboard.js';
import { address, go } from '../navigation.js';
import { readVersion } from '../set-info.js';
import { ImageGrid } from './image-grid.js';
import { useImagePages } from './use-image-pages.js';

const SORTS: Readonly<Record<ImageSort, string>> = {
  set: 'as in the set',
  'relations-most': 'most relations first',
  'relations-fewest': 'fewest relations first',
  'confidence-lowest': 'lowest confidence first',
  'confidence-highest': 'highest confidence first',
  file: 'by file name',
};
const SIZES = [132, 190, 260, 380];

/** The images that match the filter, with the facets. */
export function ImagesView() {
  const { filter, sort } = address.value;
  const facets = useFacets();
  const [size, setSize] = useState(1);
  const [isOpen, setOpen] = useState(false);
  // What corrections change matters to the list only when one comes back to it.
  const [version] = useState(savedCount.peek());
  const listKey = `${filterParameters(filter)} ${sort}`;
  const pages = useImagePages(filter, sort, `${version} ${readVersion.value}`);
  useShortcuts('Images', [
    { keys: ['f'], does: 'show or hide the filter', run: () => setOpen(!isOpen) },
    { keys: ['+', '='], does: 'larger pictures', run: () => setSize(Math.min(SIZES.length - 1, size + 1)) },
    { keys: ['-'], does: 'smaller pictures', run: () => setSize(Math.max(0, size - 1)) },
  ]);
  const error = pages.error ?? facets.error;
  return (
    <div class={`images-view ${isOpen ? 'open' : ''}`}>
      <aside aria-label="Filter">{facets.value && <FacetPanel facets={facets.value} />}</aside>
      <section class="images">
        <div class="toolbar">
          <button type="button" class="filter-toggle" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
            Filter
          </button>
          <ExpressionBox />
          <label class="sort">
            <span>Sort</span>
            <select value={sort} onChange={(event) => go({ sort: event.currentTarget.value as ImageSort })}>
              {Object.entries(SORTS).map(([name, label]) => (
                <option key={name} value={name}>
                  {label}
                </option>
              ))}
            </select>
          </label>
        </div>
        <div class="summary">
          <p role="status">
            <b>{(facets.value?.images ?? pages.total ?? 0).toLocaleString('en-US')}</b> images
            {facets.value && (
              <>
                {' · '}
                <b>{facets.value.relations.toLocaleString('en-US')}</b> relations
              </>
            )}
            {pages.isPartial && ' so far'}
          </p>
          <FilterChips />
        </div>
        {error && (
          <p class="problem" role="alert">
            {error.message}
          </p>
        )}
        {pages.total === 0 && !error && (
          <p class="nothing">No image matches this filter. Take a part of it away to see more.</p>
        )}
        <ImageGrid
          pages={pages}
          listKey={listKey}
          tileWidth={Math.min(SIZES[size]!, Math.max(132, (innerWidth - 40) / 2))}
          onOpen={({ key }) => go({ view: 'image', image: key })}
        />
      </section>
    </div>
  );
}
