import type { Facets } from '../../view-api.js';
import { filterParameters } from '../address.js';
import { api } from '../api.js';
import { savedCount } from '../edits.js';
import { filter } from '../navigation.js';
import { readVersion } from '../set-info.js';
import { type Loaded, useLoaded } from '../use-loaded.js';

/** Loads the facets of the present filter; again after corrections, and while the set is being read. */
export function useFacets(): Loaded<Facets> {
  const present = filter.value;
  const state = `${savedCount.value} ${readVersion.value}`;
  return useLoaded(`${filterParameters(present)} ${state}`, (signal) => api.facets(present, signal));
}
