import { readFileSync } from 'node:fs';
import { type Captioned, match, type Parsed, parse, type TextParser } from '../../src/index.js';
import type { Matched } from '../../src/records/candidate.js';
import type { ImageRecord } from '../../src/records/image.js';

/** A mention of a category in a caption, marked by hand. */
interface MarkedMention {
  readonly start: number;
  readonly end: number;
  readonly category: string;
}

/** What `match` does with the captions of a set. */
export interface CategorySetScore {
  /** Mentions marked by hand. */
  readonly mentions: number;
  readonly found: number;
  /** Noun phrases that got a category. */
  readonly matched: number;
  readonly wrong: number;
  /** One line per mention that was not found and per phrase that got a wrong category. */
  readonly problems: readonly string[];
}

/** The sets of `test/vocabulary/sets`: 12 categories that hardly any list has, and 40 captions with marked mentions. */
export const categorySets = ['warehouse', 'kitchen', 'laboratory', 'hospital', 'construction'] as const;

/** Parses and matches the captions of a set without a vocabulary, in images that show every category. */
export async function scoreCategorySet(set: string, parser?: TextParser): Promise<CategorySetScore> {
  const file = new URL(`../vocabulary/sets/${set}.txt`, import.meta.url);
  const [names, ...lines] = readFileSync(file, 'utf8').trim().split('\n');
  const categories = names!.split(', ');
  const context = { signal: new AbortController().signal, count: () => {} };
  const stages = { parse: parse(parser).spec, match: match().spec };
  const score = { mentions: 0, found: 0, matched: 0, wrong: 0, problems: [] as string[] };
  for (const line of lines) {
    const { text, marked } = readMarks(line);
    const record = {
      image: { id: 1, file: '1.jpg', width: 9, height: 9, dataset: set, split: '' },
      detections: categories.map((category, id) => ({ id, category, box: [0, 0, 9, 9] as const })),
      origin: { source: 'set', file: set },
      categories,
      captions: [{ text, source: 'set' }],
    };
    const { phrases } = (await stages.parse.apply(record as unknown as Captioned, context)) as Parsed;
    const parsed = { ...record, phrases } as unknown as ImageRecord & Parsed;
    const { mentions } = (await stages.match.apply(parsed, context)) as unknown as Matched;
    const entities = phrases[0]!.entities.map((entity, index) => ({ ...entity, ...mentions[index]! }));
    const found = new Set<MarkedMention>();
    for (const { start, end, span, category } of entities) {
      if (category === null) continue;
      score.matched++;
      const mark = marked.find((m) => m.category === category && m.start < end && m.end > start);
      if (mark) found.add(mark);
      else {
        score.wrong++;
        score.problems.push(`wrong: "${text}": ${span} → ${category}`);
      }
    }
    score.mentions += marked.length;
    score.found += found.size;
    const reasons = entities.map(({ span, why }) => `${span} (${why})`).join(', ');
    for (const mark of marked)
      if (!found.has(mark)) score.problems.push(`missed: "${text}": ${text.slice(mark.start, mark.end)}; ${reasons}`);
  }
  return score;
}

/** Reads a caption with marks: `{fork lift=forklift}` or `{forklift}`. */
function readMarks(line: string): { readonly text: string; readonly marked: readonly MarkedMention[] } {
  const marked: MarkedMention[] = [];
  let text = '';
  for (const part of line.split(/(\{[^}]*\})/)) {
    const [phrase, category] = part.startsWith('{') ? part.slice(1, -1).split('=') : [part];
    if (part.startsWith('{'))
      marked.push({ start: text.length, end: text.length + phrase!.length, category: category ?? phrase! });
    text += phrase;
  }
  return { text, marked };
}
