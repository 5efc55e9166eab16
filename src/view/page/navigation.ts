import { computed, signal } from '@preact/signals';
import type { Filter } from '../view-api.js';
import { type Address, addressOf, linkOf } from './address.js';

/** What the page shows. It follows the address of the browser. */
export const address = signal<Address>(addressOf(location.search));

/** The filter of the address; it changes only when its text does. */
export const filter = computed<Filter>(() => address.value.filter);

/** Scroll positions of the views that the history holds, by link. */
const scrolled = new Map<string, number>();

addEventListener('popstate', () => {
  address.value = addressOf(location.search);
});

/** Changes the address: a new entry of the history, or the present one with `replace`. */
export const go = (change: Partial<Address>, options: { readonly replace?: boolean } = {}): void =>
  goTo({ ...address.value, ...change }, options);

/** Goes to an address as `go` does. */
export function goTo(next: Address, { replace = false }: { readonly replace?: boolean } = {}): void {
  const link = linkOf(next);
  if (link === linkOf(address.value)) return;
  history[replace ? 'replaceState' : 'pushState'](null, '', link);
  address.value = addressOf(link.slice(1));
}

/** Changes the filter, in a new entry of the history. */
export function refine(change: Partial<Record<keyof Filter, unknown>>): void {
  const { image: _, relation: __, ...rest } = address.value;
  const merged = { ...rest.filter, ...change } as Filter;
  const next: Address = { ...rest, filter: merged, view: rest.view === 'image' ? 'images' : rest.view };
  const link = linkOf({ ...next, queue: withoutPlace(next.queue) });
  history.pushState(null, '', link);
  address.value = addressOf(link.slice(1));
}

const withoutPlace = ({ at: _, ...queue }: Address['queue']): Address['queue'] => queue;

/** Remembers how far the present view is scrolled. */
export function rememberScroll(top: number): void {
  scrolled.set(location.search, top);
}

/** Returns how far the present view was scrolled when it was left; 0 if it is new. */
export const rememberedScroll = (): number => scrolled.get(location.search) ?? 0;
