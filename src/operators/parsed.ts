import type { Captioned } from '../records/caption-record.js';
import type { ImageRecord } from '../records/image.js';
import type { ParsedGraphs } from '../records/ports.js';
import type { Parsed } from '../records/text-graph.js';
import { type Operator, operator } from './operator.js';

/** Takes the place of `caption` and `parse` where the graphs are there already; the captions' texts are then unknown. */
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
