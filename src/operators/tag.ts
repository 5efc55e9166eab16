import { OptionError, RecordError, RelflowError } from '../errors.js';
import type { CandidatePair, Candidates } from '../records/candidate.js';
import { officialGroups } from '../records/candidate-groups.js';
import type { Captioned } from '../records/caption-record.js';
import type { ImageRecord } from '../records/image.js';
import { checkFraction, checkPositiveInteger } from '../records/option-checks.js';
import type { RelationTagger } from '../records/ports.js';
import type { Related, Relation } from '../records/scene-graph.js';
import { type Operator, type OperatorContext, operator } from './operator.js';

/** The default of `threshold`, for the SDK and the recipes. */
export const DEFAULT_THRESHOLD = 0.2;

/** The default of `threshold` in compat. Source: RLIPv2, the tagging of the paper's headline run. */
const OFFICIAL_THRESHOLD = 0.05;

export interface TagOptions {
  /** Keeps relations whose score is strictly above this, in [0, 1]. Default 0.2; in compat 0.05. */
  readonly threshold?: number;
  /** How many pairs the tagger judges at once. Default: what the tagger says; in compat 100, half of 200 queries. */
  readonly groupSize?: number;
  /** The official passes: 16 groups a pass, any text of the pass for any pair, repeated pairs kept. Default false. */
  readonly compat?: boolean;
  /** How many images at once. Default 1. */
  readonly concurrency?: number;
}

type TagInput = ImageRecord & Captioned & Candidates;

/** Groups that the official tagger sends through the model at once. Source: RLIPv2, its R50 tagging script. */
const GROUPS_PER_PASS = 16;

/**
 * Says which candidate relations hold. Each pair keeps only texts that a caption proposed for its categories, though a
 * model sees the union of the image's texts.
 *
 * Source: RLIPv2 (ICCV 2023), section 3.3; generate_relations_using_verb_tagger.py.
 *
 * @throws OptionError where an option is out of range
 */
export function tag(tagger: RelationTagger, options: TagOptions = {}): Operator<TagInput, Related> {
  const { compat = false, concurrency = 1 } = options;
  const threshold = options.threshold ?? (compat ? OFFICIAL_THRESHOLD : DEFAULT_THRESHOLD);
  const groupSize = options.groupSize ?? (compat ? 100 : (tagger.pairsAtOnce ?? Number.MAX_SAFE_INTEGER));
  checkFraction('tag', 'threshold', threshold);
  checkPositiveInteger('tag', 'groupSize', groupSize);
  if (groupSize > (tagger.pairsAtOnce ?? groupSize)) {
    throw new OptionError(
      'tag',
      `groupSize ${groupSize}, but ${tagger.name} takes ${tagger.pairsAtOnce} pairs at once`,
    );
  }
  const stamp = { name: tagger.name, version: tagger.version, baseline: tagger.baseline };
  return operator<TagInput, Related>({
    name: 'tag',
    version: `1+${tagger.name}@${tagger.version}`,
    options: {
      tagger: tagger.name,
      baseline: tagger.baseline,
      threshold,
      ...(groupSize < Number.MAX_SAFE_INTEGER && { groupSize }),
      compat,
    },
    needs: ['detections', 'captions', 'candidates'],
    adds: ['relations', 'tagger'],
    concurrency,
    ...(!tagger.baseline && { lane: 'tagging' as const }),
    apply: async (record, context) => {
      const judge = new GroupTagger(
        tagger,
        record,
        compat ? { threshold: Math.fround(threshold), exact: true } : { threshold, exact: false },
        context,
      );
      const relations = compat
        ? await tagOfficially(judge, record, groupSize)
        : await tagWithOwnTexts(judge, record, groupSize);
      context.count('relations', relations.length);
      if (relations.length === 0) context.count('images-without-relation');
      return { relations, tagger: stamp };
    },
  });
}

/** Every pair against its own texts, in one set of texts for the image. */
async function tagWithOwnTexts(judge: GroupTagger, { candidates }: TagInput, groupSize: number): Promise<Relation[]> {
  const texts = [...new Set(candidates.flatMap((pair) => pair.texts.map((t) => t.text)))];
  const relations: Relation[] = [];
  for (let first = 0; first < candidates.length; first += groupSize) {
    const pairs = candidates.slice(first, first + groupSize);
    relations.push(...(await judge.relations(pairs, texts, (pair, text) => pair.texts.some((t) => t.text === text))));
  }
  return relations;
}

/**
 * The official procedure: repeated pairs, and in each pass of 16 groups any text for any pair (quirks B-7 and B-10,
 * docs/compat.md). Empty groups are not sent: the official model answers them with NaN, which no threshold passes.
 */
async function tagOfficially(judge: GroupTagger, { candidates }: TagInput, groupSize: number): Promise<Relation[]> {
  const byKey = new Map(candidates.map((pair) => [`${pair.subject} ${pair.object}`, pair]));
  const groups = officialGroups(candidates, groupSize).filter(([pairs]) => pairs.length > 0);
  const relations: Relation[] = [];
  for (let first = 0; first < groups.length; first += GROUPS_PER_PASS) {
    const pass = groups.slice(first, first + GROUPS_PER_PASS);
    const texts = [...new Set(pass.flatMap(([, groupTexts]) => groupTexts))];
    for (const [keys] of pass) {
      const pairs = keys.map(([subject, object]) => byKey.get(`${subject} ${object}`)!);
      relations.push(...(await judge.relations(pairs, texts, () => true)));
    }
  }
  return relations;
}

/** Asks the tagger about some pairs and picks what it says holds. */
class GroupTagger {
  readonly #tagger: RelationTagger;
  readonly #record: TagInput;
  readonly #threshold: number;
  /** Scores as the model gave them, digit for digit. */
  readonly #exact: boolean;
  readonly #context: OperatorContext;

  constructor(
    tagger: RelationTagger,
    record: TagInput,
    { threshold, exact }: { threshold: number; exact: boolean },
    context: OperatorContext,
  ) {
    this.#tagger = tagger;
    this.#record = record;
    this.#threshold = threshold;
    this.#exact = exact;
    this.#context = context;
  }

  /** Relations above the threshold, by pair and then text. */
  async relations(
    pairs: readonly CandidatePair[],
    texts: readonly string[],
    allowed: (pair: CandidatePair, text: string) => boolean,
  ): Promise<Relation[]> {
    const { image, detections, captions } = this.#record;
    const request = { image, detections, pairs, texts, captionCount: captions.length };
    const scores = await this.#tagger.tag(request, this.#context.signal);
    if (scores.length !== pairs.length * texts.length) {
      throw new RelflowError(
        'bad-tagger',
        `tag: ${this.#tagger.name} gave ${scores.length} scores for ${pairs.length} pairs and ${texts.length} texts`,
      );
    }
    const relations: Relation[] = [];
    pairs.forEach((pair, row) => {
      texts.forEach((text, column) => {
        const score = scores[row * texts.length + column]!;
        if (Number.isNaN(score) || score < 0 || score > 1) {
          throw new RecordError('bad-score', `${this.#tagger.name} gave the score ${score} for '${text}'`);
        }
        if (!allowed(pair, text)) return;
        const kept = score > this.#threshold;
        this.#explain(pair, text, score, kept);
        if (!kept) {
          this.#context.count('below-threshold');
          return;
        }
        const captions = pair.texts.find((t) => t.text === text)?.captions ?? [];
        // A float32 has about seven digits; the rest would only be noise in the file.
        const confidence = this.#exact ? score : Math.round(score * 1e6) / 1e6;
        relations.push({ subject: pair.subject, object: pair.object, predicate: text, confidence, captions });
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
