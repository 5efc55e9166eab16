import { OptionError, RecordError, RelflowError } from '../errors.js';
import { NO_REQUESTS } from '../records/add-forecasts.js';
import type { CandidatePair, Candidates } from '../records/candidate.js';
import { officialGroups } from '../records/candidate-groups.js';
import type { Captioned } from '../records/caption-record.js';
import type { ImageRecord } from '../records/image.js';
import { checkFraction, checkPositiveInteger } from '../records/option-checks.js';
import type { RelationTagger, TagRequest } from '../records/ports.js';
import type { Related, Relation } from '../records/scene-graph.js';
import { mergeWordings } from './merge-wordings.js';
import { type Operator, type OperatorContext, operator } from './operator.js';
import { recordLabels } from './record-labels.js';

/** The default of `threshold`, for the SDK and the recipes. */
export const DEFAULT_THRESHOLD = 0.2;

/** The default of `threshold` in compat. Source: RLIPv2, the tagging of the paper's headline run. */
const OFFICIAL_THRESHOLD = 0.05;

/** Options of `tag`. */
export interface TagOptions {
  /** Keeps relations whose score is strictly above this, in [0, 1]. Default: the tagger's, 0.5 for the baseline, else 0.2; in compat 0.05. */
  readonly threshold?: number;
  /** Number of pairs per request to the tagger. Default: the tagger's limit; in compat 100, which is half of 200 queries. */
  readonly groupSize?: number;
  /** Uses the official procedure: passes of 16 groups, every text of a pass for every pair, repeated pairs kept. Default false. */
  readonly compat?: boolean;
  /** Keeps every wording of a fact about a pair as a relation of its own: `on` besides `sitting on`. Always so in compat. Default false. */
  readonly allWordings?: boolean;
  /** Number of images to tag concurrently. Default: the tagger's preference, else 1. */
  readonly concurrency?: number;
}

type TagInput = ImageRecord & Captioned & Candidates;

/** Number of groups per forward pass of the official tagger. Source: RLIPv2, its R50 tagging script. */
const GROUPS_PER_PASS = 16;

/**
 * Adds the candidate relations that the tagger scores above the threshold. A pair only gets texts that a caption proposed for
 * its categories, although the tagger receives the union of the image's texts. Wordings of one fact about a pair, such as
 * `sitting on`, `sits on` and `on`, are one relation, the most specific one.
 *
 * Source: RLIPv2 (ICCV 2023), section 3.3; generate_relations_using_verb_tagger.py.
 *
 * @throws OptionError when an option is out of range
 *
 * @example
 * ```ts
 * import { baselineTagger, caption, captionFile, coco, Graph, match, pair, parse, sceneGraphs, tag } from 'relflow';
 *
 * new Graph('tagged')
 *   .from(coco({ annotations: 'instances.json' }))
 *   .pipe(caption(captionFile({ captions: 'captions.json' })))
 *   .pipe(parse())
 *   .pipe(match())
 *   .pipe(pair())
 *   .pipe(tag(baselineTagger(), { threshold: 0.4 }))
 *   .to(sceneGraphs());
 * ```
 */
export function tag(tagger: RelationTagger, options: TagOptions = {}): Operator<TagInput, Related> {
  const { compat = false, allWordings = compat, concurrency = tagger.imagesAtOnce ?? 1 } = options;
  const threshold = options.threshold ?? (compat ? OFFICIAL_THRESHOLD : (tagger.threshold ?? DEFAULT_THRESHOLD));
  const groupSize = options.groupSize ?? (compat ? 100 : (tagger.pairsAtOnce ?? Number.MAX_SAFE_INTEGER));
  checkFraction('tag', 'threshold', threshold);
  checkPositiveInteger('tag', 'groupSize', groupSize);
  if (groupSize > (tagger.pairsAtOnce ?? groupSize)) {
    throw new OptionError(
      'tag',
      `groupSize ${groupSize}, expected at most ${tagger.pairsAtOnce}, the limit of ${tagger.name}`,
    );
  }
  const stamp = { name: tagger.name, version: tagger.version, baseline: tagger.baseline };
  return operator<TagInput, Related>({
    name: 'tag',
    version: `${compat ? 1 : 2}+${tagger.name}@${tagger.version}`,
    options: {
      tagger: tagger.name,
      baseline: tagger.baseline,
      threshold,
      ...(groupSize < Number.MAX_SAFE_INTEGER && { groupSize }),
      compat,
      ...(!compat && { allWordings }),
      ...tagger.options,
    },
    needs: ['detections', 'captions', 'candidates'],
    adds: ['relations', 'tagger'],
    concurrency,
    // A tagger that sends requests needs the workers that captioners need.
    ...(!tagger.baseline && { lane: tagger.forecast ? ('captions' as const) : ('tagging' as const) }),
    ...(tagger.forecast && {
      forecast: async (record, signal) =>
        record.candidates.length === 0
          ? NO_REQUESTS
          : tagger.forecast!(requestOf(record, recordLabels(record), record.candidates), signal),
    }),
    ...(tagger.usage && { usage: () => tagger.usage!() }),
    ...(tagger.close && { close: () => tagger.close!() }),
    apply: async (record, context) => {
      const labels = compat || tagger.baseline ? undefined : recordLabels(record);
      const group = new GroupTagger(
        tagger,
        record,
        compat
          ? { threshold: Math.fround(threshold), exact: true, labels: undefined }
          : { threshold, exact: false, labels },
        context,
      );
      const all = compat
        ? await tagOfficially(group, record, groupSize)
        : await tagWithOwnTexts(group, knownPairs(tagger, record, labels, context), groupSize);
      const relations = allWordings ? all : mergeWordings(all);
      if (relations.length < all.length) context.count('wordings-merged', all.length - relations.length);
      context.count('relations', relations.length);
      if (relations.length === 0) context.count('images-without-relation');
      return { relations, tagger: stamp };
    },
  });
}

/** Returns a request for pairs with all of their texts. */
function requestOf(
  { image, detections, captions }: TagInput,
  labels: ReadonlyMap<string, string> | undefined,
  pairs: readonly CandidatePair[],
  texts: readonly string[] = textsOf(pairs),
): TagRequest {
  return { image, detections, labels, pairs, texts, captionCount: captions.length };
}

const textsOf = (pairs: readonly CandidatePair[]) => [
  ...new Set(pairs.flatMap((pair) => pair.texts.map((t) => t.text))),
];

/** Returns the pairs whose categories the tagger knows; counts the boxes that take no part because of theirs, by category. */
function knownPairs(
  tagger: RelationTagger,
  { detections, candidates }: TagInput,
  labels: ReadonlyMap<string, string> | undefined,
  context: OperatorContext,
): readonly CandidatePair[] {
  if (!tagger.knowsCategory) return candidates;
  const unknown = new Set<number>();
  const isKnown = (index: number) => {
    const { category } = detections[index]!;
    if (tagger.knowsCategory!(labels?.get(category) ?? category) || tagger.knowsCategory!(category)) return true;
    unknown.add(index);
    return false;
  };
  // Both sides are checked, so that every unknown box is counted.
  const known = candidates.filter(({ subject, object }) => [subject, object].map(isKnown).every(Boolean));
  for (const index of unknown) {
    context.count('category-unknown-to-tagger');
    context.count(`category-unknown-to-tagger: ${detections[index]!.category}`);
    context.explain?.(
      `${detections[index]!.category}#${index}: the tagger does not know the category; its pairs are left out`,
    );
  }
  return known;
}

/** Scores the texts of the whole image for every pair and keeps each pair's own texts. */
async function tagWithOwnTexts(
  tagger: GroupTagger,
  candidates: readonly CandidatePair[],
  groupSize: number,
): Promise<Relation[]> {
  const texts = textsOf(candidates);
  const relations: Relation[] = [];
  for (let first = 0; first < candidates.length; first += groupSize) {
    const pairs = candidates.slice(first, first + groupSize);
    relations.push(...(await tagger.relations(pairs, texts, (pair, text) => pair.texts.some((t) => t.text === text))));
  }
  return relations;
}

/**
 * Implements the official procedure: repeated pairs, and in each pass of 16 groups every text for every pair (quirks B-7 and
 * B-10, docs/compat.md). Empty groups are skipped: the official model returns NaN for them, which passes no threshold.
 */
async function tagOfficially(tagger: GroupTagger, { candidates }: TagInput, groupSize: number): Promise<Relation[]> {
  const byKey = new Map(candidates.map((pair) => [`${pair.subject} ${pair.object}`, pair]));
  const groups = officialGroups(candidates, groupSize).filter(([pairs]) => pairs.length > 0);
  const relations: Relation[] = [];
  for (let first = 0; first < groups.length; first += GROUPS_PER_PASS) {
    const pass = groups.slice(first, first + GROUPS_PER_PASS);
    const texts = [...new Set(pass.flatMap(([, groupTexts]) => groupTexts))];
    for (const [keys] of pass) {
      const pairs = keys.map(([subject, object]) => byKey.get(`${subject} ${object}`)!);
      relations.push(...(await tagger.relations(pairs, texts, () => true)));
    }
  }
  return relations;
}

/** Sends groups of pairs to the tagger and selects the relations above the threshold. */
class GroupTagger {
  readonly #tagger: RelationTagger;
  readonly #record: TagInput;
  readonly #threshold: number;
  /** Whether confidences keep every digit of the tagger's scores. */
  readonly #exact: boolean;
  readonly #labels: ReadonlyMap<string, string> | undefined;
  readonly #context: OperatorContext;

  constructor(
    tagger: RelationTagger,
    record: TagInput,
    {
      threshold,
      exact,
      labels,
    }: { threshold: number; exact: boolean; labels: ReadonlyMap<string, string> | undefined },
    context: OperatorContext,
  ) {
    this.#tagger = tagger;
    this.#record = record;
    this.#threshold = threshold;
    this.#exact = exact;
    this.#labels = labels;
    this.#context = context;
  }

  /**
   * Returns the relations above the threshold, by pair and then by text.
   * @param allowed returns whether a pair may have a text
   */
  async relations(
    pairs: readonly CandidatePair[],
    texts: readonly string[],
    allowed: (pair: CandidatePair, text: string) => boolean,
  ): Promise<Relation[]> {
    const request = requestOf(this.#record, this.#labels, pairs, texts);
    const scores = await this.#tagger.tag(request, this.#context.signal, this.#context.count);
    if (scores.length !== pairs.length * texts.length) {
      throw new RelflowError(
        'bad-tagger',
        `tag: ${this.#tagger.name} returned ${scores.length} scores, expected ${pairs.length} pairs × ${texts.length} texts`,
      );
    }
    const relations: Relation[] = [];
    pairs.forEach((pair, row) => {
      texts.forEach((text, column) => {
        const score = scores[row * texts.length + column]!;
        if (Number.isNaN(score) || score < 0 || score > 1) {
          throw new RecordError(
            'bad-score',
            `tag: ${this.#tagger.name} returned the score ${score} for '${text}', expected a number from 0 to 1`,
          );
        }
        if (!allowed(pair, text)) return;
        const kept = score > this.#threshold;
        this.#explain(pair, text, score, kept);
        if (!kept) {
          this.#context.count('below-threshold');
          return;
        }
        const { captions = [], source } = pair.texts.find((t) => t.text === text) ?? {};
        // A float32 has about seven significant digits; more would only add noise to the file.
        const confidence = this.#exact ? score : Math.round(score * 1e6) / 1e6;
        const { subject, object } = pair;
        relations.push({ subject, object, predicate: text, confidence, captions, ...(source && { source }) });
      });
    });
    return relations;
  }

  #explain({ subject, object }: CandidatePair, text: string, score: number, kept: boolean): void {
    const name = (index: number) => `${this.#record.detections[index]?.category}#${index}`;
    this.#context.explain?.(
      `(${name(subject)}, ${text}, ${name(object)}): ${score.toFixed(3)} ${kept ? 'kept' : `dropped, not above ${this.#threshold}`}`,
    );
  }
}
