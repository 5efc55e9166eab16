import { neuralParser } from '../parser/neural/neural-parser.js';
import { addForecasts, NO_REQUESTS } from '../records/add-forecasts.js';
import type { Captioned } from '../records/caption-record.js';
import type { TextParser } from '../records/ports.js';
import type { Parsed, TextGraph } from '../records/text-graph.js';
import { type Operator, operator } from './operator.js';

/**
 * Parses each caption into a graph of noun phrases and relations.
 *
 * @param parser default: `neuralParser()`, which drops relations below a confidence of 0.6
 *
 * @example
 * ```ts
 * import { caption, captionFile, coco, Graph, neuralParser, parse } from 'relflow';
 *
 * new Graph('parsed')
 *   .from(coco({ annotations: 'instances.json' }))
 *   .pipe(caption(captionFile({ captions: 'captions.json' })))
 *   .pipe(parse(neuralParser({ minConfidence: 0.4 })));
 * ```
 */
export function parse(parser: TextParser = neuralParser()): Operator<Captioned, Parsed> {
  return operator<Captioned, Parsed>({
    name: 'parse',
    version: `1+${parser.name}@${parser.version}`,
    options: { parser: parser.name, ...parser.options },
    needs: ['captions'],
    adds: ['phrases'],
    ...(parser.recordsAtOnce !== undefined && { concurrency: parser.recordsAtOnce }),
    ...(parser.forecast && {
      forecast: async ({ captions }, signal) => {
        const forecasts = await Promise.all(captions.map(({ text }) => parser.forecast!(text, signal)));
        return forecasts.reduce(addForecasts, NO_REQUESTS);
      },
    }),
    ...(parser.usage && { usage: () => parser.usage!() }),
    ...(parser.close && { close: () => parser.close!() }),
    apply: async ({ captions }, context) => {
      const phrases = await Promise.all(captions.map(({ text }) => parser.parse(text, context)));
      for (const [index, { text }] of captions.entries()) {
        const graph = phrases[index]!;
        if (parser.maxLength !== undefined && text.length > parser.maxLength) context.count('captions-cut');
        context.count('entities', graph.entities.length);
        context.count('relations', graph.relations.length);
        if (graph.relations.length === 0) context.count('captions-without-relation');
        context.explain?.(`"${text}" → ${graph.relations.map((r) => describe(graph, r)).join('; ') || 'no relation'}`);
      }
      return { phrases };
    },
  });
}

function describe(graph: TextGraph, relation: TextGraph['relations'][number]): string {
  return `(${graph.entities[relation.subject]?.span}, ${relation.predicate}, ${graph.entities[relation.object]?.span})`;
}
