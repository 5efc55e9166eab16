import { createHash } from 'node:crypto';
import { memoize } from '../parser/language/memoize.js';
import type { Matched, Mention } from '../records/candidate.js';
import type { Captioned } from '../records/caption-record.js';
import type { ImageRecord } from '../records/image.js';
import type { Parsed, TextGraph } from '../records/text-graph.js';
import { builtInDigest, builtInList } from '../vocabulary/built-in-list.js';
import { CategoryIndex, type CategoryMatch } from '../vocabulary/category-index.js';
import type { CategoryWordsOptions } from '../vocabulary/category-words.js';
import { loadVocabulary, type Vocabulary } from '../vocabulary/vocabulary.js';
import { type Operator, operator } from './operator.js';

/** Options of `match`. */
export interface MatchOptions {
  /**
   * More words for the categories: the path to a JSON file `{category: [synonym, …]}`, or `coco80` or `objects365` to prefer
   * that built-in list. Default: the words are made from the names of the data set's categories alone; in compat `coco80`.
   */
  readonly vocabulary?: string;
  /** Uses only the category names and the words of `vocabulary`: no built-in list and no WordNet. Default false. */
  readonly vocabularyOnly?: boolean;
  /** Uses the official substring rule with the vocabulary alone. Default false. */
  readonly compat?: boolean;
}

/** Finds the category of a noun phrase of one image; null if it has none. `why` gives the reason. */
type Matcher = (span: string, before: string) => CategoryMatch;

/**
 * Finds the category of the image that each noun phrase names, by whole words and its head, the longest synonym first.
 *
 * The words are made from the names of the data set's categories: each name in any spelling, the synonyms of the built-in
 * lists for categories that these have under any usual name, and WordNet's synonyms and kinds for others (see docs/own-data.md).
 * A record without `categories` is matched by the categories of its own detections.
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
  const { vocabulary: name, vocabularyOnly: only = false, compat = false } = options;
  const vocabulary = name === undefined && !compat ? undefined : loadVocabulary(name ?? 'coco80');
  const indexes = new CategoryIndexes({ vocabulary, only });
  return operator<ImageRecord & Parsed, Matched>({
    name: 'match',
    version: compat ? '2' : '3',
    options: {
      vocabulary: vocabulary?.name ?? 'categories',
      ...(vocabulary && { synonyms: digestOf(vocabulary) }),
      ...(!compat && { builtIn: builtInDigest(), ...(only && { vocabularyOnly: only }) }),
      compat,
    },
    needs: ['detections', 'phrases', ...(compat ? (['rawCategories'] as const) : [])],
    adds: ['mentions'],
    apply: (record, context) => {
      const matcher = compat ? substringMatcher(vocabulary!, record) : headMatcher(indexes.of(record), record);
      const { captions } = record as Partial<Captioned>;
      const mentions: Mention[] = [];
      record.phrases.forEach((graph, caption) => {
        const text = captions?.[caption]?.text ?? '';
        const eyewear = compat ? undefined : eyewearOf(graph, matcher);
        graph.entities.forEach(({ span, lemma, start, end }, entity) => {
          const { category, why, isAbsent }: CategoryMatch = eyewear?.has(entity)
            ? { category: null, why: 'glasses that a person wears' }
            : matcher(span, text.slice(start, end) === span ? text.slice(0, start) : '');
          context.count(category === null ? 'entities-without-category' : 'entities-with-category');
          if (category === null) context.tally?.('entities-without-category', isAbsent ? `${lemma} (no box)` : lemma);
          context.explain?.(`caption ${caption}: "${span}" → ${category ?? '—'} (${why})`);
          mentions.push({ caption, entity, category, why });
        });
      });
      return { mentions };
    },
  });
}

/** Predicates of glasses to see with, after a person. */
const wearing: ReadonlySet<string> = new Set(['wearing', 'wears', 'wear', 'with', 'in', 'has', 'having', 'has on']);

/**
 * Returns the entities that are glasses to see with and would be matched to glasses to drink from: what somebody wears, and
 * uncounted `glasses` that a person is "with" or "in". A data set may have a category for them, which is matched.
 */
function eyewearOf({ entities, relations }: TextGraph, matcher: Matcher): ReadonlySet<number> {
  const found = new Set<number>();
  for (const { subject, object, predicate } of relations) {
    const { span, head, quantity } = entities[object]!;
    if (head !== 'glasses' || !wearing.has(predicate)) continue;
    const isWorn = predicate.startsWith('wear');
    if (quantity !== undefined && !isWorn && quantity !== 'pair') continue;
    if (!['cup', 'wine glass'].includes(usualName(matcher(span, '').category))) continue;
    if (isWorn || usualName(matcher(entities[subject]!.span, '').category) === 'person') found.add(object);
  }
  return found;
}

/** Returns COCO's name of a category, or an empty text. */
const usualName = (category: string | null): string =>
  (category === null ? undefined : builtInList('coco80').categoryOf(category)) ?? '';

/** Returns a digest of the synonyms: two files may share a name, and a built-in list may change in a later version. */
function digestOf({ synonyms }: Vocabulary): string {
  return createHash('sha256')
    .update(JSON.stringify([...synonyms]))
    .digest('hex')
    .slice(0, 12);
}

/** Keeps an index per list of categories, since the records of a file share theirs. */
class CategoryIndexes {
  readonly #options: CategoryWordsOptions;
  readonly #ofList = new WeakMap<readonly string[], CategoryIndex>();
  /** Records that were read from a work file have equal lists that are not the same. */
  readonly #ofNames: (names: string) => CategoryIndex;

  constructor(options: CategoryWordsOptions) {
    this.#options = options;
    this.#ofNames = memoize(256, (names) => CategoryIndex.ofCategories(names.split('\0'), this.#options));
  }

  /** Returns the index of a record's categories. */
  of({ categories = [], detections }: ImageRecord): CategoryIndex {
    const known = this.#ofList.get(categories);
    if (known) return known;
    const names = categories.length > 0 ? categories : [...new Set(detections.map(({ category }) => category))].sort();
    const index = this.#ofNames(names.join('\0'));
    if (categories.length > 0) this.#ofList.set(categories, index);
    return index;
  }
}

function headMatcher(index: CategoryIndex, { detections }: ImageRecord): Matcher {
  const present = new Set(detections.map((d) => d.category));
  return (span, before) => index.find(span, present, before);
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
