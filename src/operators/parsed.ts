import type { Captioned } from '../records/caption-record.js';
import type { ImageRecord } from '../records/image.js';
import type { ParsedGraphs } from '../records/ports.js';
import type { Parsed } from '../records/text-graph.js';
import { type Operator, operator } from './operator.js';

/**
 * Adds text graphs that another parser produced, instead of `caption` and `parse`. The texts of the captions are then unknown
 * and empty.
 *
 * @example
 * ```ts
 * import { coco, Graph, match, pair, parsed, parsedGraphFile } from 'relflow';
 *
 * new Graph('parsed')
 *   .from(coco({ annotations: 'instances.json' }))
 *   .pipe(parsed(parsedGraphFile({ graphs: 'parsed.json' })))
 *   .pipe(match())
 *   .pipe(pair());
 * ```
 */
export function parsed(source: ParsedGraphs): Operator<ImageRecord, Captioned & Parsed> {
  return operator<ImageRecord, Captioned & Parsed>({
    name: 'parsed',
    version: `1+${source.name}@${source.version}`,
    options: { graphs: source.name },
    needs: ['image'],
    adds: ['captions', 'phrases'],
    concurrency: 8,
    files: () => source.files(),
    close: () => source.close(),
    apply: async ({ image }, context) => {
      const phrases = await source.graphs(image, context.signal);
      context.count('graphs', phrases.length);
      return { phrases, captions: phrases.map(() => ({ text: '', source: source.name })) };
    },
  });
}
