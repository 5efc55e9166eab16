import { createHash } from 'node:crypto';
import type { Matched, Mention } from '../records/candidate.js';
import type { ImageRecord } from '../records/image.js';
import type { Parsed } from '../records/text-graph.js';
import { CategoryIndex } from '../vocabulary/category-index.js';
import { loadVocabulary, type Vocabulary } from '../vocabulary/vocabulary.js';
import { type Operator, operator } from './operator.js';

export interface MatchOptions {
  /** `coco80`, `objects365`, or a path to a JSON file of `{category: [synonym, …]}`. Default `coco80`. */
  readonly vocabulary?: string;
  /** The official substring rule, with whatever vocabulary was given. Default false. */
  readonly compat?: boolean;
}

/** A category for a noun phrase of one image, or null and why not. */
type Matcher = (span: string) => { readonly category: string | null; readonly why: string };

/**
 * Says which category of the image each noun phrase names: by its head, whole words, the longest synonym first.
 *
 * @throws OptionError where the vocabulary is unknown
 */
export function match(options: MatchOptions = {}): Operator<ImageRecord & Parsed, Matched> {
  const { vocabulary: name = 'coco80', compat = false } = options;
  const vocabulary = loadVocabulary(name);
  // Made with the first record: many commands make a graph and run none.
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

/** Two files may have one name, and a built-in list another content in the next version. */
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
 * The official rule: a category matches where any of its synonyms is a substring of the lower-cased phrase, and of
 * several matching categories the one that appears last among the image's raw annotations wins.
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
