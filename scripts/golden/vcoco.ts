import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type BenchmarkReport,
  evaluateVcoco,
  evaluateVcocoTraining,
  readHoiImages,
  readVcocoTruth,
} from '../../src/evaluation/index.js';
import type { Corners } from '../../src/records/corners.js';
import { coco80Categories } from '../../src/vocabulary/categories.js';
import type { Differences } from './compare.js';
import { handCases, imageOfPairs, predictionsOf, readJson } from './golden-files.js';

type WrittenImages = readonly {
  readonly image_id: number;
  readonly file_name?: string;
  readonly pairs: readonly {
    readonly person: Corners;
    readonly object: Corners | null;
    readonly object_label: number;
    readonly scores: readonly number[];
  }[];
}[];

interface Written {
  readonly verbs: readonly string[];
  readonly images: WrittenImages;
}

interface HandCase {
  readonly name: string;
  readonly vcoco: unknown;
  readonly instances: unknown;
  readonly predictions: Written | WrittenImages;
  readonly expected_hold: unknown;
}

/** Compares V-COCO's numbers. */
export async function compareVcoco(folder: string, differences: Differences): Promise<void> {
  const expected = readJson<Record<string, Record<string, unknown>>>(folder, 'expected.json');
  const written = readJson<Written>(folder, 'predictions.json');
  const predictions = read(written.verbs, written.images);
  const annotations = join(folder, 'annotations-vcoco.json');
  const truth = await readVcocoTruth({
    annotations,
    instances: join(folder, 'annotations-instances.json'),
    split: join(folder, 'annotations-split.ids'),
  });
  const { report } = await evaluateVcoco(predictions, { truth, file: annotations });
  const official = inOfficialForm(report);
  for (const key of ['agent', 'scenario_1', 'scenario_2'] as const)
    differences.compare(official[key], expected[key], key);
  const file = join(folder, 'annotations-hoia.json');
  const images = await readHoiImages(file);
  const prior = readJson<number[][]>(folder, 'annotations-prior.json');
  const { report: training } = await evaluateVcocoTraining(predictions, { images, file, prior });
  const { images_left_out: leftOut, ...numbers } = expected['training_time'] ?? {};
  const byVerb = (key: string) => Object.fromEntries(training.classes.map((row) => [row['name'], row[key]]));
  differences.compare({ ...training.metrics, ap: byVerb('ap'), gt: byVerb('gt') }, numbers, 'training_time');
  differences.compare(
    training.counts['images-with-boxes-and-without-predictions-left-out'],
    (leftOut as readonly string[] | undefined)?.length ?? 0,
    'training_time.images_left_out',
  );
  for (const hand of handCases<HandCase>(folder)) await compareHand(hand, written.verbs, differences);
}

async function compareHand(hand: HandCase, verbs: readonly string[], differences: Differences): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'relflow-golden-'));
  try {
    const [annotations, instances] = [join(folder, 'vcoco.json'), join(folder, 'instances.json')];
    writeFileSync(annotations, JSON.stringify(hand.vcoco));
    writeFileSync(instances, JSON.stringify(hand.instances));
    const { predictions } = hand;
    const found = 'images' in predictions ? read(predictions.verbs, predictions.images) : read(verbs, predictions);
    const truth = await readVcocoTruth({ annotations, instances });
    const { report } = await evaluateVcoco(found, { truth, file: annotations });
    const official = inOfficialForm(report);
    const hold = {
      scenario_1: official.scenario_1.roles['hold-obj']?.ap,
      scenario_2: official.scenario_2.roles['hold-obj']?.ap,
      agent: official.agent.actions['hold']?.ap,
    };
    differences.compare(hold, hand.expected_hold, `hand.${hand.name}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Returns the numbers of a report as the expected ones are arranged. */
function inOfficialForm({ metrics, classes }: BenchmarkReport) {
  const scores = (key: string) =>
    Object.fromEntries(
      classes
        .filter((row) => row[`ap_${key}`] !== null)
        .map((row) => [
          row['name'] as string,
          {
            ap: row[`ap_${key}`],
            max_recall: row[`max_recall_${key}`],
            positives: row['gt'],
            scored: row['predictions'],
          },
        ]),
    );
  const scenario = (key: string) => ({
    mean_25_roles: metrics[`${key}_mean_25_roles`],
    mean_24_without_point: metrics[`${key}_mean_24_without_point`],
    roles: scores(key),
  });
  return {
    agent: { mean: metrics['agent_mean'], actions: scores('agent') },
    scenario_1: scenario('scenario_1'),
    scenario_2: scenario('scenario_2'),
  };
}

function read(verbs: readonly string[], images: WrittenImages) {
  const objects = [...coco80Categories.map(({ name }) => name), 'missing objects'];
  return predictionsOf(
    { objects, predicates: [...verbs], fused: true },
    images.map(({ image_id: id, file_name: file, pairs }) =>
      imageOfPairs(
        { id, ...(file !== undefined && { file }) },
        pairs.map(({ person, object, object_label: label, scores }) => ({
          subject: [person, 'person'],
          object: object && [object, objects[label]!],
          scores,
        })),
      ),
    ),
  );
}
