import { join } from 'node:path';
import { countHicoTriplets, evaluateHico, type HoiImage, readHicoImages } from '../../src/evaluation/index.js';
import type { Corners } from '../../src/records/corners.js';
import { coco80Categories } from '../../src/vocabulary/categories.js';
import { hicoUnseen, hicoVerbs } from '../../src/vocabulary/hico.js';
import type { Differences } from './compare.js';
import { handCases, imageOfPairs, predictionsOf, readJson } from './golden-files.js';
import { comparePostProcess } from './post-process.js';

interface Written {
  readonly verbs: readonly number[];
  readonly images: readonly {
    readonly file_name: string;
    readonly pairs: readonly {
      readonly subject: Corners;
      readonly object: Corners;
      readonly category_id: number;
      readonly scores: readonly number[];
    }[];
  }[];
}

interface HandCase {
  readonly name: string;
  readonly nms: boolean;
  readonly annotations: readonly WrittenImage[];
  readonly predictions: Written;
  readonly expected: unknown;
}

interface WrittenImage {
  readonly file_name: string;
  readonly annotations: readonly { readonly bbox: Corners; readonly category_id: number }[];
  readonly hoi_annotation: readonly {
    readonly subject_id: number;
    readonly object_id: number;
    readonly category_id: number;
  }[];
}

const SETTINGS = ['UC-RF', 'UC-NF', 'UO'] as const;

/** Compares HICO-DET's numbers. */
export async function compareHico(folder: string, differences: Differences): Promise<void> {
  const expected = readJson<Record<string, Record<string, unknown>>>(folder, 'expected.json');
  const file = join(folder, 'annotations-test.json');
  const [images, training] = [
    await readHicoImages(file),
    await countHicoTriplets(join(folder, 'annotations-train.json')),
  ];
  const predictions = read(readJson<Written>(folder, 'predictions.json'));
  const evaluate = async (options: Partial<Parameters<typeof evaluateHico>[1]>) => {
    const { report } = await evaluateHico(predictions, { images, file, training, ...options });
    return {
      ...report.metrics,
      classes: report.classes,
      ap: report.classes.map(({ ap }) => ap),
      counts: report.counts,
    };
  };
  differences.compare(await evaluate({}), expected['default'], 'default');
  differences.compare(await evaluate({ suppress: false }), expected['without_nms'], 'without_nms');
  differences.compare(await evaluate({ mask: false }), expected['without_correct_mat'], 'without_correct_mat');
  const filtered: Record<string, unknown> = {};
  for (const setting of SETTINGS) {
    const { counts, ...metrics } = await evaluate({ unseen: setting });
    differences.compare({ ...metrics, unseen_classes_here: counts['classes-unseen'] }, expected[setting], setting);
    filtered[setting] = await trainingWithout(join(folder, 'annotations-train.json'), new Set(hicoUnseen[setting]));
  }
  differences.compare(filtered, expected['zero_shot_training'], 'zero_shot_training');
  comparePostProcess(folder, expected['postprocess'] as Parameters<typeof comparePostProcess>[1], differences);
  for (const { name, nms, annotations, predictions: written, expected: numbers } of handCases<HandCase>(folder)) {
    const truth = annotations.map(readImage);
    const { report } = await evaluateHico(read(written), { images: truth, file: name, suppress: nms });
    differences.compare(report.metrics, numbers, `hand.${name}`);
  }
}

/** Counts the relations that the filter of a zero-shot setting leaves; all images stay. */
async function trainingWithout(file: string, unseen: ReadonlySet<number>) {
  const images = await readHicoImages(file);
  const relations = images.flatMap(({ interactions }) => interactions);
  return {
    relations_before: relations.length,
    relations_after: relations.filter(({ triplet }) => !unseen.has(triplet! - 1)).length,
    images: images.length,
  };
}

const names = new Map(coco80Categories.map(({ id, name }) => [id, name]));

function read({ verbs, images }: Written) {
  return predictionsOf(
    {
      objects: coco80Categories.map(({ name }) => name),
      predicates: verbs.map((verb) => hicoVerbs[verb - 1]!),
      fused: true,
    },
    images.map(({ file_name: file, pairs }) =>
      imageOfPairs(
        { file },
        pairs.map(({ subject, object, category_id: category, scores }) => ({
          subject: [subject, 'person'],
          object: [object, names.get(category)!],
          scores,
        })),
      ),
    ),
  );
}

const readImage = ({ file_name: file, annotations, hoi_annotation: interactions }: WrittenImage): HoiImage => ({
  file,
  objects: annotations.map(({ bbox, category_id: category }) => ({ box: bbox, category })),
  interactions: interactions.map(({ subject_id, object_id, category_id }) => ({
    subject: subject_id,
    object: object_id,
    verb: category_id,
    triplet: null,
  })),
  dangling: 0,
});
