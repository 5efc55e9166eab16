import { FILTERED, type Operator, operator } from './operator.js';

/**
 * Keeps the records for which `keep` is true; the others are counted as filtered.
 *
 * @param name says what is kept, since reports and digests show it: `with-relations`
 * @param needs the fields that `keep` looks at
 */
export function filter<Needs extends object>(
  name: string,
  needs: readonly (keyof Needs & string)[],
  keep: (record: Needs) => boolean,
): Operator<Needs, object> {
  return operator<Needs, object>({
    name,
    version: '1',
    needs,
    adds: [],
    lane: 'any',
    apply: (record) => (keep(record) ? {} : FILTERED),
  });
}
