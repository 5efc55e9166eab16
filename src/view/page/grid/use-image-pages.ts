import { useEffect, useRef, useState } from 'preact/hooks';
import type { Filter, ImageCard, ImageSort } from '../../view-api.js';
import { filterParameters } from '../address.js';
import { api, type RequestError } from '../api.js';

/** Images a request. */
const PAGE = 60;
/** Pages that are kept. */
const KEPT = 80;

/** The images of a filter, of which pages are loaded as they are needed. */
export interface ImagePages {
  /** Number of images; null until it is known. */
  readonly total: number | null;
  readonly error: RequestError | null;
  readonly isPartial: boolean;
  /** Returns the image at a position; undefined while it is not loaded. */
  readonly at: (position: number) => ImageCard | undefined;
  /** Loads the images of positions in [first, last]. */
  readonly need: (first: number, last: number) => void;
}

interface Store {
  readonly key: string;
  readonly list: string;
  readonly controller: AbortController;
  readonly pages: Map<number, readonly ImageCard[]>;
  /** Pages of an earlier version of the same list, shown until they are loaded again. */
  readonly earlier: ReadonlyMap<number, readonly ImageCard[]>;
  readonly asked: Set<number>;
  total: number | null;
  error: RequestError | null;
  isPartial: boolean;
}

/** Loads pages of images of a filter in an order; the list starts anew when one of them changes, and is loaded again when `version` does. */
export function useImagePages(filter: Filter, sort: ImageSort, version: string): ImagePages {
  const [, redraw] = useState(0);
  const store = useRef<Store | null>(null);
  const list = `${filterParameters(filter)} ${sort}`;
  const key = `${list} ${version}`;
  if (store.current?.key !== key) {
    const before = store.current;
    before?.controller.abort();
    store.current = {
      key,
      list,
      controller: new AbortController(),
      pages: new Map(),
      earlier: before?.list === list ? new Map([...before.earlier, ...before.pages]) : new Map(),
      asked: new Set(),
      // The old number stays until the new one is known, so that the page does not jump.
      total: before?.total ?? null,
      error: null,
      isPartial: false,
    };
  }
  const present = store.current;
  useEffect(() => () => store.current?.controller.abort(), []);
  const need = (first: number, last: number) => {
    const to = Math.floor(Math.max(0, last) / PAGE);
    for (let page = Math.floor(Math.max(0, first) / PAGE); page <= to; page++) load(page);
  };
  const load = (page: number) => {
    if (present.asked.has(page)) return;
    present.asked.add(page);
    api.images(filter, sort, page * PAGE, PAGE, present.controller.signal).then(
      ({ images, total, isPartial }) => {
        present.pages.set(page, images);
        present.total = total;
        present.isPartial = isPartial;
        present.error = null;
        for (const old of present.pages.keys()) {
          if (present.pages.size <= KEPT) break;
          present.pages.delete(old);
          present.asked.delete(old);
        }
        if (store.current === present) redraw((count) => count + 1);
      },
      (error: RequestError) => {
        if (present.controller.signal.aborted) return;
        present.asked.delete(page);
        present.error = error;
        redraw((count) => count + 1);
      },
    );
  };
  return {
    total: present.total,
    error: present.error,
    isPartial: present.isPartial,
    at: (position) => {
      const page = Math.floor(position / PAGE);
      return (present.pages.get(page) ?? present.earlier.get(page))?.[position % PAGE];
    },
    need,
  };
}
