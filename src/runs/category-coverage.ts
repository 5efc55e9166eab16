import type { Node } from '../graph/node.js';
import { FILTERED } from '../operators/operator.js';
import type { Matched } from '../records/candidate.js';

/** Names of the categories of an input, and those that the vocabulary has no words for. */
export interface CategoryCoverage {
  readonly names: readonly string[];
  readonly unmatched: readonly string[];
}

/**
 * Looks up each category in the vocabulary of the first stage that `match()` made as if a caption consisted of its name; resolves to null if
 * there is no such stage.
 */
export async function categoryCoverage(
  nodes: readonly Node[],
  categories: ReadonlySet<string>,
  signal: AbortSignal = new AbortController().signal,
): Promise<CategoryCoverage | null> {
  const match = nodes.find(
    (node) => node.kind === 'stage' && node.spec.name === 'match' && node.spec.options?.['vocabulary'],
  );
  if (match?.kind !== 'stage') return null;
  const names = [...categories];
  const unmatched: string[] = [];
  for (const name of names) {
    const head = name
      .split(/[\s_-]+/)
      .at(-1)!
      .toLowerCase();
    const entity = { span: name, start: 0, end: name.length, head, lemma: head, attributes: [] };
    const record = {
      image: { id: 0, file: '', width: 1, height: 1, dataset: '', split: '' },
      detections: [{ id: 0, category: name, box: [0, 0, 1, 1] }],
      origin: { source: '', file: '' },
      categories: names,
      rawCategories: [name],
      captions: [{ text: name, source: '' }],
      phrases: [{ entities: [entity], relations: [] }],
    };
    const result = (await match.spec.apply(record, { signal, count: () => {} })) as Matched | typeof FILTERED;
    if (result === FILTERED || result.mentions[0]?.category !== name) unmatched.push(name);
  }
  return { names, unmatched };
}
