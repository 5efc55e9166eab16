import type { Corners } from '../../../records/corners.js';
import type { ImagePredictions } from '../../../records/predictions.js';
import { AnnotatedImages } from '../annotated-images.js';
import { type BenchmarkEvaluation, type BenchmarkReport, type EvaluationDetails, meanOf } from '../benchmark-report.js';
import { bootstrapMetrics } from '../bootstrap-metrics.js';
import { ClassRanking, envelopeAp, maxRecall } from '../class-ranking.js';
import { HighestMistakes } from '../highest-mistakes.js';
import { MIN_IOU } from '../match-relations.js';
import { pixelIou } from '../pixel-geometry.js';
import type { Predictions } from '../predictions-file.js';
import type { VcocoPerson, VcocoTruth } from './vcoco-annotations.js';
import { placesOfVerbs } from './vcoco-verbs.js';

/** Options of `evaluateVcoco`. */
export interface EvaluateVcocoOptions extends EvaluationDetails {
  readonly truth: VcocoTruth;
  /** The file of the annotations, for messages. */
  readonly file: string;
}

/** The rankings of an action and one of its roles. */
interface RoleRankings {
  readonly action: number;
  readonly role: number;
  readonly name: string;
  /** Place of its scores among the predicates. */
  readonly place: number;
  readonly scenario1: ClassRanking;
  readonly scenario2: ClassRanking;
}

/** The ranking of an action's persons. */
interface AgentRanking {
  readonly action: number;
  readonly name: string;
  /** Places of the scores of which the greatest is the agent's. */
  readonly places: readonly number[];
  readonly ranking: ClassRanking;
}

/**
 * Computes V-COCO's role average precision in both scenarios and the agent average precision, as its official evaluator does
 * with the records that RLIPv2 makes of its predictions: all pairs count, without a cut and without suppression.
 *
 * Source: v-coco (commit 489cc4d), vsrl_eval.py; RLIPv2 (commit 2adae60), generate_vcoco_official.py. The official code
 * computes in single precision, so that its numbers differ by up to 2e-6.
 *
 * @throws InputError if the predictions lack a verb, or name an image that is not annotated
 *
 * @example
 * ```ts
 * import { evaluateVcoco, openPredictions, readVcocoTruth } from 'relflow/evaluation';
 *
 * const file = 'vcoco_test.json';
 * const truth = await readVcocoTruth({ annotations: file, instances: 'instances_vcoco_all_2014.json' });
 * const { report } = await evaluateVcoco(await openPredictions('predictions.jsonl'), { truth, file });
 * console.log(report.metrics['scenario_1_mean_24_without_point']);
 * ```
 */
export async function evaluateVcoco(
  predictions: Predictions,
  { truth, file, resamples = 0, mistakes = 0 }: EvaluateVcocoOptions,
): Promise<BenchmarkEvaluation> {
  const evaluation = new Evaluation(predictions, truth, resamples, mistakes);
  const ids = new Map(truth.images.map((image) => [image.file, image.id]));
  const annotated = new AnnotatedImages(
    file,
    truth.images.map(({ id }) => `${id}`),
    (image) => {
      const id = image.id ?? (image.file === undefined ? undefined : (ids.get(image.file) ?? image.file));
      return id === undefined ? undefined : `${id}`;
    },
    'its id or file',
  );
  return annotated.evaluate(predictions, evaluation);
}

class Evaluation {
  readonly #truth: VcocoTruth;
  /** Number of resamples of bootstrap intervals. */
  readonly #resamples: number;
  readonly #roles: readonly RoleRankings[];
  readonly #agents: readonly AgentRanking[];
  readonly #mistakes: HighestMistakes;
  readonly #fused: boolean;
  readonly #counts = { pairs: 0, withoutObject: 0, ofUnannotated: 0, inImagesWithoutPersons: 0 };

  constructor({ file, header }: Predictions, truth: VcocoTruth, resamples: number, mistakes: number) {
    this.#truth = truth;
    this.#resamples = resamples;
    this.#fused = header.fused;
    this.#mistakes = new HighestMistakes(mistakes);
    const place = (verb: string) => placesOfVerbs(file, [verb], header.predicates)[0]!;
    this.#roles = truth.actions.flatMap(({ name, roles }, action) =>
      roles.map((role, k) => ({
        action,
        role: k,
        name: `${name}-${role}`,
        place: place(`${name}_${role}`),
        scenario1: new ClassRanking(),
        scenario2: new ClassRanking(),
      })),
    );
    this.#agents = truth.actions.map(({ name, roles }, action) => ({
      action,
      name,
      places: roles.length === 0 ? [place(name)] : roles.map((role) => place(`${name}_${role}`)),
      ranking: new ClassRanking(),
    }));
    for (const [position, { persons }] of truth.images.entries())
      for (const { does } of persons) {
        for (const { action, ranking } of this.#agents) if (does?.[action]) ranking.addTruth(position);
        for (const { action, scenario1, scenario2 } of this.#roles)
          if (does?.[action]) for (const ranking of [scenario1, scenario2]) ranking.addTruth(position);
      }
  }

  add(position: number, { objects, pairs }: ImagePredictions): void {
    const { persons, file } = this.#truth.images[position]!;
    this.#counts.pairs += pairs.length;
    if (persons.length === 0) {
      this.#counts.inImagesWithoutPersons += pairs.length;
      return;
    }
    const candidates = pairs.flatMap(({ subject, object, scores }) => {
      if (object === null) this.#counts.withoutObject++;
      const best = bestPerson(persons, objects[subject]!.xyxy);
      if (persons[best.person]!.does === null) {
        this.#counts.ofUnannotated++;
        return [];
      }
      const fused = this.#fused || object === null ? 1 : (objects[object]!.score ?? 1);
      return [
        {
          ...best,
          object: object === null ? null : objects[object]!.xyxy,
          subject,
          objectIndex: object,
          scores,
          fused,
        },
      ];
    });
    const ranked = (score: (candidate: (typeof candidates)[number]) => number) =>
      candidates.map((candidate) => ({ candidate, score: score(candidate) })).sort((a, b) => b.score - a.score);
    for (const { action, places, ranking } of this.#agents) {
      const found = new Set<number>();
      for (const { candidate, score } of ranked(
        ({ scores, fused }) => fused * Math.max(...places.map((k) => scores[k]!)),
      )) {
        const { person, overlap } = candidate;
        const isRight = persons[person]!.does![action]! && overlap >= MIN_IOU && !found.has(person);
        if (isRight) found.add(person);
        ranking.add(score, isRight, position);
      }
    }
    for (const { action, role, name, place, scenario1, scenario2 } of this.#roles) {
      const [found1, found2] = [new Set<number>(), new Set<number>()];
      for (const { candidate, score } of ranked(({ scores, fused }) => fused * scores[place]!)) {
        const { person, overlap, object, subject, objectIndex } = candidate;
        const { does, roles } = persons[person]!;
        const isAction = does![action]! && overlap >= MIN_IOU;
        const truth = roles[action]![role]!;
        const fits = truth !== null && object !== null && pixelIou(truth, object) >= MIN_IOU;
        const fits1 = isAction && (truth === null ? isNone(object) : fits);
        const isRight = fits1 && !found1.has(person);
        if (isRight) found1.add(person);
        scenario1.add(score, isRight, position);
        const isRight2 = isAction && (truth === null || fits) && !found2.has(person);
        if (isRight2) found2.add(person);
        scenario2.add(score, isRight2, position);
        if (isRight) continue;
        this.#mistakes.add(score, () => ({
          image: file,
          subject: { box: objects[subject]!.xyxy, category: objects[subject]!.category },
          predicate: name,
          object:
            objectIndex === null ? null : { box: objects[objectIndex]!.xyxy, category: objects[objectIndex]!.category },
          score,
          reason: fits1 ? 'found-already' : 'no-match',
        }));
      }
    }
  }

  result(missing: number): BenchmarkEvaluation {
    const { images } = this.#truth;
    const resamples = this.#resamples;
    const intervals = resamples > 0 && bootstrapMetrics(images.length, resamples, (w) => this.#metrics(w));
    return {
      report: {
        benchmark: 'V-COCO',
        evaluator: 'v-coco vsrl_eval.py (489cc4d) on the records of RLIPv2 generate_vcoco_official.py (2adae60)',
        protocol: this.#protocol(),
        counts: this.#reportCounts(missing),
        metrics: this.#metrics(),
        ...(intervals && { intervals }),
        classes: this.#classes(),
      },
      curves: () =>
        this.#roles.map(({ name, scenario1 }) => {
          const curve = scenario1.curve();
          return { name, ap: envelopeAp(curve), ...curve };
        }),
      mistakes: this.#mistakes.list(),
    };
  }

  #classes(): BenchmarkReport['classes'] {
    const scores = (ranking: ClassRanking | null) => {
      const curve = ranking?.curve();
      return curve ? { ap: envelopeAp(curve), recall: maxRecall(curve) } : { ap: null, recall: null };
    };
    const row = (name: string, of: ClassRanking, rankings: readonly (ClassRanking | null)[]) => {
      const [one, two, agent] = rankings.map(scores);
      return {
        name,
        gt: of.positives,
        predictions: of.size,
        ap_scenario_1: one!.ap,
        max_recall_scenario_1: one!.recall,
        ap_scenario_2: two!.ap,
        max_recall_scenario_2: two!.recall,
        ap_agent: agent!.ap,
        max_recall_agent: agent!.recall,
      };
    };
    return [
      ...this.#roles.map(({ name, scenario1, scenario2 }) => row(name, scenario1, [scenario1, scenario2, null])),
      ...this.#agents.map(({ name, ranking }) => row(name, ranking, [null, null, ranking])),
    ];
  }

  #metrics(weights?: Uint16Array): Record<string, number | null> {
    const aps = (scenario: 'scenario1' | 'scenario2') =>
      this.#roles.flatMap((role) => {
        const curve = role[scenario].curve(weights);
        return curve.positives > 0 ? [{ name: role.name, ap: envelopeAp(curve) }] : [];
      });
    const means = (scenario: 'scenario1' | 'scenario2') => {
      const all = aps(scenario);
      return {
        without: meanOf(all.filter(({ name }) => !name.startsWith('point-')).map(({ ap }) => ap)),
        all: meanOf(all.map(({ ap }) => ap)),
      };
    };
    const [one, two] = [means('scenario1'), means('scenario2')];
    const agents = this.#agents.flatMap(({ ranking }) => {
      const curve = ranking.curve(weights);
      return curve.positives > 0 ? [envelopeAp(curve)] : [];
    });
    return {
      scenario_1_mean_24_without_point: one.without,
      scenario_2_mean_24_without_point: two.without,
      scenario_1_mean_25_roles: one.all,
      scenario_2_mean_25_roles: two.all,
      agent_mean: meanOf(agents),
    };
  }

  #protocol(): BenchmarkReport['protocol'] {
    const resamples = this.#resamples;
    return {
      'predictions of an image': 'all pairs; no cut, no suppression',
      matching:
        'the person with the greatest IoU is the candidate; right if that person does the action and was not found before, IoU ≥ 0.5 with the extra pixel; categories of objects are not compared',
      'scenario 1': 'where the truth has no object, none (or a box of zeros) must be predicted',
      'scenario 2': 'where the truth has no object, any prediction is right',
      'average precision': 'area under the precision envelope at every recall',
      'reported by papers': 'mean of 24 roles without point; 25 roles include it',
      'scores fused in the file': this.#fused,
      ...(resamples > 0 && { intervals: `95 %, bootstrap over images, ${resamples} resamples` }),
    };
  }

  #reportCounts(missing: number): Record<string, number> {
    const { images } = this.#truth;
    const persons = images.flatMap((image) => image.persons);
    const { pairs, withoutObject, ofUnannotated, inImagesWithoutPersons } = this.#counts;
    return {
      images: images.length,
      'images-without-predictions': missing,
      persons: persons.length,
      'persons-not-annotated': persons.filter(({ does }) => does === null).length,
      actions: this.#agents.length,
      roles: this.#roles.length,
      'roles-without-positives': this.#roles.filter(({ scenario1 }) => scenario1.positives === 0).length,
      pairs,
      'pairs-without-object': withoutObject,
      'pairs-of-persons-not-annotated-ignored': ofUnannotated,
      'pairs-in-images-without-persons-ignored': inImagesWithoutPersons,
    };
  }
}

/** Returns the person with the greatest IoU, the first among equals, whatever that IoU is. */
function bestPerson(persons: readonly VcocoPerson[], box: Corners): { person: number; overlap: number } {
  let best = { person: 0, overlap: -1 };
  for (const [person, { box: of }] of persons.entries()) {
    const overlap = pixelIou(of, box);
    if (overlap > best.overlap) best = { person, overlap };
  }
  return best;
}

/** Returns whether nothing is predicted: no object, or a box of four zeros. */
const isNone = (object: Corners | null): boolean => object === null || object.every((side) => side === 0);
