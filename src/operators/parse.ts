import { isEnglish } from '../parser/language/is-english.js';
import { nounLemma } from '../parser/language/lemma.js';
import { memoize } from '../parser/language/memoize.js';
import { maxCaptionLength, tokenize } from '../parser/language/tokenize.js';
import { neuralParser } from '../parser/neural/neural-parser.js';
import { addForecasts, NO_REQUESTS } from '../records/add-forecasts.js';
import type { Captioned } from '../records/caption-record.js';
import type { ImageRecord } from '../records/image.js';
import type { TextParser } from '../records/ports.js';
import type { Entity, Parsed, TextGraph } from '../records/text-graph.js';
import { categoryPhrases, type PhraseFinder, type TextRange } from '../vocabulary/category-phrases.js';
import { type Operator, type OperatorContext, operator } from './operator.js';

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
    apply: async (record, context) => {
      const { captions } = record;
      const { categories = [] } = record as Partial<ImageRecord>;
      // A model on a server receives each caption once.
      const findPhrases = parser.forecast || categories.length === 0 ? undefined : phraseFinder(categories);
      const phrases = await Promise.all(
        captions.map(({ text }) =>
          findPhrases ? parseWithPhrases(parser, text, findPhrases(text), context) : parser.parse(text, context),
        ),
      );
      for (const [index, { text }] of captions.entries()) {
        const graph = phrases[index]!;
        if (parser.maxLength !== undefined && text.length > parser.maxLength) context.count('captions-cut');
        if (graph.entities.length === 0 && !isEnglish(wordsOf(text))) context.count('not-english');
        context.count('entities', graph.entities.length);
        context.count('relations', graph.relations.length);
        if (graph.relations.length === 0) context.count('captions-without-relation');
        context.explain?.(`"${text}" → ${graph.relations.map((r) => describe(graph, r)).join('; ') || 'no relation'}`);
      }
      return { phrases };
    },
  });
}

/**
 * Parses a caption so that the names of categories in it are read as nouns. If the parser breaks one of them up, the caption is
 * parsed again with hyphens in place of the blanks within the names, which leaves every offset as it was.
 */
async function parseWithPhrases(
  parser: TextParser,
  text: string,
  phrases: readonly TextRange[],
  context: OperatorContext,
): Promise<TextGraph> {
  const graph = await parser.parse(text, context);
  const missing = brokenPhrases(graph, phrases);
  if (missing === 0) return graph;
  let hyphenated = text;
  for (const { start, end } of phrases)
    hyphenated = `${hyphenated.slice(0, start)}${text.slice(start, end).replace(/[ _]/g, '-')}${hyphenated.slice(end)}`;
  const again = await parser.parse(hyphenated, context);
  if (brokenPhrases(again, phrases) >= missing) return graph;
  context.count('captions-parsed-again');
  return {
    ...again,
    entities: again.entities.map((entity) => withSpanOf(text, entity)),
    ...(again.coreference && {
      coreference: again.coreference.map((words) => ({ ...words, span: text.slice(words.start, words.end) })),
    }),
  };
}

/** Returns the number of phrases that no noun phrase ends with, or that have the end of another within. Words before it may be read as attributes. */
function brokenPhrases({ entities, coreference = [] }: TextGraph, phrases: readonly TextRange[]): number {
  const read = [...entities, ...coreference];
  return phrases.filter(
    ({ start, end }) =>
      !read.some((phrase) => phrase.end === end && phrase.start < end) ||
      read.some((phrase) => phrase.end > start && phrase.end < end),
  ).length;
}

/** Returns an entity with the words of the caption as it was written. */
function withSpanOf(text: string, entity: Entity): Entity {
  const span = text.slice(entity.start, entity.end);
  if (span === entity.span) return entity;
  const head = (/[^ _]+$/.exec(span)?.[0] ?? span).toLowerCase();
  const { name: _, ...others } = entity;
  return { ...others, span, head, lemma: nounLemma(head) };
}

/** Returns the function that finds the names of a data set's categories in captions; the records of a file share their list. */
const phraseFinder = (categories: readonly string[]): PhraseFinder => phraseFinders(categories.join('\0'));
const phraseFinders = memoize(64, (names) => categoryPhrases(names.split('\0')));

const wordsOf = (text: string) =>
  tokenize(text, maxCaptionLength).flatMap((tokens) => tokens.map((token) => token.text));

function describe(graph: TextGraph, relation: TextGraph['relations'][number]): string {
  return `(${graph.entities[relation.subject]?.span}, ${relation.predicate}, ${graph.entities[relation.object]?.span})`;
}
