import type { Captioned } from '../records/caption.js';
import type { TextParser } from '../records/ports.js';
import type { Parsed, TextGraph } from '../records/text-graph.js';
import { learnedParser } from '../text/learned/learned-parser.js';
import { type Operator, operator } from './operator.js';

/** Reads each caption into a graph of noun phrases and relations. Default: `learnedParser()`. */
export function parse(parser: TextParser = learnedParser()): Operator<Captioned, Parsed> {
  return operator<Captioned, Parsed>({
    name: 'parse',
    version: `1+${parser.name}@${parser.version}`,
    options: { parser: parser.name },
    needs: ['captions'],
    adds: ['phrases'],
    apply: async ({ captions }, context) => {
      const phrases: TextGraph[] = [];
      for (const { text } of captions) {
        if (parser.maxLength !== undefined && text.length > parser.maxLength) context.count('captions-cut');
        const graph = await parser.parse(text);
        context.count('entities', graph.entities.length);
        context.count('relations', graph.relations.length);
        if (graph.relations.length === 0) context.count('captions-without-relation');
        context.explain?.(`"${text}" → ${graph.relations.map((r) => describe(graph, r)).join('; ') || 'no relation'}`);
        phrases.push(graph);
      }
      return { phrases };
    },
  });
}

function describe(graph: TextGraph, relation: TextGraph['relations'][number]): string {
  return `(${graph.entities[relation.subject]?.span}, ${relation.predicate}, ${graph.entities[relation.object]?.span})`;
}
