import { createHash } from 'node:crypto';
import type { Matched, Mention } from '../records/candidate.js';
import type { ImageRecord } from '../records/image.js';
import type { Parsed } from '../records/text-graph.js';
import { CategoryIndex } from '../vocabulary/category-index.js';
import { loadVocabulary, type Vocabulary } from '../vocabulary/vocabulary.js';
import { type Operator, operator } from './operator.js';

/** Options of `match`. */
export interface MatchOptions {
  /** `coco80`, `objects365`, or the path to a JSON file `{category: [synonym, …]}`. Default `coco80`. */
  readonly vocabulary?: string;
  /** Uses the official substring rule with the vocabulary. Default false. */
  readonly compat?: boolean;
}

/** Finds the category of a noun phrase of one image; null if it has none. `why` gives the reason. */
type Matcher = (span: string) => { readonly category: string | null; readonly why: string };

/**
 * Finds the category of the image that each noun phrase names, by whole words and its head, the longest synonym first.
 *
 * @throws OptionError when the vocabulary is unknown
 * @throws InputError when the vocabulary file cannot be used
 *
 * @example
 * ```ts
 * import { caption, captionFile, coco, Graph, match, parse } from 'relflow';
 *
 * new Graph('matched')
 *   .from(coco({ annotations: 'instances.json' }))
 *   .pipe(caption(captionFile({ captions: 'captions.json' })))
 *   .pipe(parse())
 *   .pipe(match({ vocabulary: 'coco80' }));
 * ```
 */
export function match(options: MatchOptions = {}): Operator<ImageRecord & Parsed, Matched> {
  const { vocabulary: name = 'coco80', compat = false } = options;
  const vocabulary = loadVocabulary(name);
  // Created with the first record, since many commands build a graph without running it.
  let index: CategoryIndex | null = null;
  return operator<ImageRecord & Parsed, Matched>({
    name: 'match',
    version: '1',
    options: { vocabulary: vocabulary.name, synonyms: digestOf(vocabulary), compat },
    needs: ['detections', 'phrases', ...(compat ? (['rawCategories'] as const) : [])],
    adds: ['mentions'],
    apply: (record, context) => {
      if (!compat) index ??= new CategoryIndex(vocabulary);
      const matcher = index ? headMatcher(index, record) : substringMatcher(vocabulary, record);
      const mentions: Mention[] = [];
      record.phrases.forEach((graph, caption) => {
        graph.entities.forEach(({ span }, entity) => {
          const { category, why } = matcher(span);
          context.count(category === null ? 'entities-without-category' : 'entities-with-category');
          context.explain?.(`caption ${caption}: "${span}" → ${category ?? '—'} (${why})`);
          mentions.push({ caption, entity, category, why });
        });
      });
      return { mentions };
    },
  });
}

/** Returns a digest of the synonyms: two files may share a name, and a built-in list may change in a later version. */
function digestOf({ synonyms }: Vocabulary): string {
  return createHash('sha256')
    .update(JSON.stringify([...synonyms]))
    .digest('hex')
    .slice(0, 12);
}

function headMatcher(index: CategoryIndex, { detections }: ImageRecord): Matcher {
  const present = new Set(detections.map((d) => d.category));
  return (span) => index.find(span, present);
}

/**
 * Implements the official rule: a category matches if any of its synonyms is a substring of the lower-cased phrase. If several
 * categories match, the one that appears last in the image's raw annotations wins.
 * Source: RLIPv2, datasets/rlipv2_helper/coco_caption_helper.py (quirks B-2, B-3 and B-4, docs/compat.md).
 */
function substringMatcher(vocabulary: Vocabulary, record: ImageRecord): Matcher {
  const names = record.rawCategories ?? [...new Set(record.detections.map((d) => d.category))];
  return (span) => {
    const phrase = span.toLowerCase();
    let category: string | null = null;
    let why = `no synonym is part of '${phrase}'`;
    for (const name of names) {
      const synonym = vocabulary.synonyms.get(name)?.find((s) => phrase.includes(s));
      if (synonym === undefined) continue;
      category = name;
      why = `'${synonym}' is part of '${phrase}'`;
    }
    return { category, why };
  };
}
