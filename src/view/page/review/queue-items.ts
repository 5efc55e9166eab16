import { useEffect, useRef, useState } from 'preact/hooks';
import type { QueueItem } from '../../review-api.js';
import type { Filter, ImageDetail, ImageKey } from '../../view-api.js';
import { api, pictureLink } from '../api.js';
import { reloaded } from '../edits.js';
import { address, filter as presentFilter } from '../navigation.js';
import { othersEdits, setInfo } from '../set-info.js';

/** Relations a request. */
const PAGE = 40;

/** Returns the filter of the queue: judgments must not move the relations that are still to come. */
export function queueFilter(): Filter {
  const { review: _, ...rest } = presentFilter.value;
  return rest;
}

/** Loads pages of the queue: the one with a place and the next one. The order stays as it was when they were loaded. */
export function useQueueItems(at: number, total: number): (place: number) => QueueItem | undefined {
  const { queue } = address.value;
  const present = Math.floor(at / PAGE);
  const pages = useRef(new Map<number, readonly QueueItem[]>());
  const [, redraw] = useState(0);
  useEffect(() => {
    const controller = new AbortController();
    for (const page of [present, present + 1]) {
      if (pages.current.has(page) || page * PAGE >= total) continue;
      api.queue(queueFilter(), queue, page * PAGE, PAGE, controller.signal).then(
        ({ items }) => {
          pages.current.set(page, items);
          redraw((count) => count + 1);
        },
        () => undefined,
      );
    }
    return () => controller.abort();
  }, [present]);
  return (place) => pages.current.get(Math.floor(place / PAGE))?.[place % PAGE];
}

/** Loads the images of relations, and their pictures, before they are needed. */
export function useDetails(items: readonly (QueueItem | undefined)[]): ReadonlyMap<ImageKey, ImageDetail> {
  const details = useRef(new Map<ImageKey, ImageDetail>());
  /** The version of the reviews that each image was asked for. */
  const asked = useRef(new Map<ImageKey, number>());
  const [, redraw] = useState(0);
  const keys = items.flatMap((item) => (item ? [item.image] : []));
  const version = othersEdits.value;
  useEffect(() => {
    for (const key of keys) {
      if (asked.current.get(key) === version) continue;
      asked.current.set(key, version);
      if (setInfo.value?.hasPictures) new Image().src = pictureLink(key);
      reloaded(key, () => api.image(key, {}, 'set', new AbortController().signal)).then(
        (detail) => {
          details.current.set(key, detail);
          redraw((count) => count + 1);
        },
        () => asked.current.delete(key),
      );
    }
  }, [keys.join(), version]);
  return details.current;
}
