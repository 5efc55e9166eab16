import { increment } from '../records/increment.js';
import type { SourceContext } from '../records/ports.js';
import { withoutMergedObjects } from './visual-genome-entry.js';
import { type GenomeFiles, genomeGraphs } from './visual-genome-graphs.js';
import { type FrequentNames, type PreprocessOptions, preprocessGenome } from './visual-genome-preprocess.js';

/**
 * Reads all graphs once, and returns the names of at least `minOccurrences` objects and the predicates of at least as
 * many relations. Objects and relations are counted as the other steps of the preprocessing leave them.
 * @throws InputError if a file cannot be read
 * Source: RLIPv2, datasets/vg.py, step 9
 */
export async function frequentNames(
  files: GenomeFiles,
  steps: PreprocessOptions,
  minOccurrences: number,
  context: SourceContext,
): Promise<FrequentNames> {
  const names = new Map<string, number>();
  const predicates = new Map<string, number>();
  for await (const entry of genomeGraphs(files, context)) {
    context.signal.throwIfAborted();
    if ('reject' in entry || entry.graph.rejected) continue;
    const graph = preprocessGenome(withoutMergedObjects(entry.graph, ignore), steps, ignore);
    for (const {
      names: [name],
    } of graph.objects)
      if (name) increment(names, name);
    for (const { predicate } of graph.relations) increment(predicates, predicate);
  }
  const frequent = (counts: ReadonlyMap<string, number>) =>
    new Set([...counts].flatMap(([name, count]) => (count >= minOccurrences ? name : [])));
  return { objects: frequent(names), predicates: frequent(predicates) };
}

const ignore = () => {};
