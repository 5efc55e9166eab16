import { RelflowError } from '../errors.js';
import { isThenable } from './is-thenable.js';
import { FILTERED, type Operator, operator } from './operator.js';

/**
 * Keeps the records for which `keep` returns true and counts the others as filtered. `Flow.filter` is a shorter form.
 *
 * @param name describes the kept records, as shown in reports and digests: `with-relations`
 * @param needs fields that `keep` reads
 * @throws OptionError when the name does not consist of lower-case words joined by hyphens
 *
 * @example
 * ```ts
 * import { filter, Graph, type ImageRecord, type Related, sceneGraphLines, sceneGraphs } from 'relflow';
 *
 * new Graph('related')
 *   .from(sceneGraphLines({ sceneGraphs: 'out' }))
 *   .pipe(filter<ImageRecord & Related>('with-relations', ['relations'], ({ relations }) => relations.length > 0))
 *   .to(sceneGraphs());
 * ```
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
    apply: (record) => {
      const kept: unknown = keep(record);
      // A promise would keep every record.
      if (isThenable(kept))
        throw new RelflowError('bad-result', `filter '${name}': returned a promise, expected true or false`, {
          node: name,
        });
      return kept ? {} : FILTERED;
    },
  });
}
