import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { detections, exportGraphs, type ImageRecord, labelStudio, type SceneGraph } from '../../src/index.js';
import { readGraphs } from '../../src/runs/read-graphs.js';
import { temporaryFolder } from '../support/folders.js';
import { readSource } from '../support/read-source.js';

function put(tasks: unknown): string {
  const file = join(temporaryFolder(), 'tasks.json');
  writeFileSync(file, JSON.stringify(tasks));
  return file;
}

const region = (id: string, label: string, value: object = {}, type = 'rectanglelabels') => ({
  id,
  type,
  from_name: 'label',
  to_name: 'image',
  original_width: 200,
  original_height: 100,
  image_rotation: 0,
  value: { x: 10, y: 20, width: 30, height: 40, rotation: 0, [type]: [label], ...value },
});
const relation = (from_id: string, to_id: string, labels: readonly string[], direction = 'right') => ({
  type: 'relation',
  from_id,
  to_id,
  direction,
  labels,
});
const data = { image: '/data/upload/1/1a2b3c4d-street.jpg' };

/** Relations as `subject predicate object`, by the ids of objects. */
const relations = ({ records }: Awaited<ReturnType<typeof readSource>>) =>
  (records as { detections: ImageRecord['detections']; relations: SceneGraph['relations'] }[]).map(
    ({ detections, relations }) =>
      relations.map(({ subject, object, predicate }) =>
        [detections[subject]?.id, predicate, detections[object ?? -1]?.id].join(' '),
      ),
  );

describe('labelStudio', () => {
  it('reads boxes and relations of annotations, rather than of predictions', async () => {
    const result = [
      relation('Ab1', '7', ['riding', 'on']),
      region('Ab1', 'person'),
      region('7', 'horse', { x: 0, y: 0, width: 100, height: 100 }),
      relation('Ab1', '7', ['near'], 'left'),
      relation('Ab1', '7', ['along'], 'bi'),
      relation('Ab1', '7', []),
      relation('Ab1', 'gone', ['on']),
      region('turned', 'person', { rotation: 15 }),
      region(
        'outline',
        'person',
        {
          points: [
            [1, 2],
            [11, 2],
            [6, 22],
          ],
        },
        'polygonlabels',
      ),
      { id: 'two', type: 'rectangle', value: { x: 50, y: 50, width: 10, height: 10, rotation: 0 }, score: 0.25 },
      { id: 'two', type: 'labels', value: { x: 50, y: 50, width: 10, height: 10, labels: ['dog', 'pet'] } },
      { id: 'brush', type: 'brushlabels', value: { format: 'rle', rle: [1, 2], brushlabels: ['person'] } },
      { id: 'mood', type: 'choices', value: { choices: ['sunny'] } },
    ];
    const task = {
      id: 4,
      data,
      annotations: [{ was_cancelled: true, result: [region('no', 'no')] }, { result }, { result: [] }],
      predictions: [{ model_version: 'm', result: [region('no', 'no')] }],
    };
    const read = await readSource(labelStudio({ annotations: put([task]) }));
    const [record] = read.records;
    assert.deepEqual(record?.image, {
      id: 4,
      file: '1a2b3c4d-street.jpg',
      width: 200,
      height: 100,
      dataset: 'label-studio',
      split: '',
    });
    assert.deepEqual(record?.detections, [
      { id: 'Ab1', category: 'person', box: [20, 20, 60, 40] },
      { id: 7, category: 'horse', box: [0, 0, 200, 100] },
      { id: 'outline', category: 'person', box: [2, 2, 20, 20] },
      { id: 'two', category: 'dog', box: [100, 50, 20, 10], score: 0.25 },
    ]);
    assert.equal(record?.tagger, null);
    assert.deepEqual(relations(read), [['Ab1 riding 7', 'Ab1 on 7', '7 near Ab1', 'Ab1 along 7', '7 along Ab1']]);
    assert.deepEqual(read.counts, {
      'further-annotation': 2,
      'rotated-box': 1,
      'box-from-mask': 1,
      'shape-without-box': 1,
      'further-label': 1,
      'relation-without-label': 1,
      'unknown-object': 1,
      'path-shortened': 1,
    });
  });

  it('reads predictions where people have annotated nothing, and says which tasks have none', async () => {
    const predicted = {
      id: 1,
      data,
      annotations: [{ was_cancelled: true, result: [] }],
      predictions: [
        {
          model_version: 'rlipv2 3',
          result: [
            region('a', 'dog'),
            region('b', 'cat'),
            { ...relation('a', 'b', ['near']), score: 0.75 },
            { ...relation('b', 'a', ['near']), score: 75 },
          ],
        },
      ],
    };
    const tasks = [predicted, { id: 2, data }, { id: 3, data: { text: 'no image' }, annotations: [] }];
    const { records, counts, reasons } = await readSource(labelStudio({ annotations: put(tasks) }));
    assert.deepEqual(records[0]?.tagger, { name: 'rlipv2', version: '3', baseline: false });
    assert.deepEqual(
      records[0]?.relations.map(({ confidence }) => confidence),
      [0.75, undefined],
    );
    assert.deepEqual(reasons, ['malformed-image', 'malformed-image']);
    assert.equal(counts['score-out-of-range'], 1);
    assert.equal(counts['task-without-annotation'], undefined);
  });

  it('gives boxes alone to a pipeline, with the labels of the file as categories', async () => {
    const tasks = [1, 2].map((id) => ({ id, data, annotations: [{ result: [region('a', `dog ${id}`)] }] }));
    const { records } = await readSource(await detections({ annotations: put(tasks) }));
    assert.deepEqual(records[0]?.categories, ['dog 1', 'dog 2']);
    assert.ok(!('relations' in records[0]!));
  });

  it('refuses JSON-MIN', async () => {
    const annotations = put([{ image: '1.jpg', label: [{ x: 1, original_width: 9, rectanglelabels: ['a'] }] }]);
    await assert.rejects(readSource(labelStudio({ annotations })), /task 1 is .*, not "JSON-MIN"/);
  });

  it('reads what was exported, ids of all kinds included, and exports the same bytes', async () => {
    const folder = temporaryFolder();
    const graph = (tagger: SceneGraph['provenance']['tagger']): SceneGraph => ({
      format: 'relflow.scene-graph/1',
      image: { id: tagger ? 'a/b' : 9, file: 'ä #1?/50% &+.jpg', width: 333, height: 77, dataset: 'own', split: 'val' },
      objects: [
        { id: 12, category: 'dog', box: [0, 0, 333, 77] },
        { id: '007', category: 'cat <b>', box: [1.1, 2.22, 331.9, 74.78], score: 0.3 },
        { id: 12, category: 'dog', box: [0.333333, 1 / 3, 100 / 3, 7] },
      ],
      captions: [{ text: 'a dog', source: 'model' }],
      relations: [
        { subject: 0, object: 1, predicate: 'next to', ...(tagger && { confidence: 0.125 }) },
        { subject: 2, object: 0, predicate: 'on' },
      ],
      provenance: { origin: { source: 'own', file: 'a' }, operators: [], tagger },
    });
    const about = { name: 'own', inputs: [], stages: [] };
    async function* own() {
      yield graph(null);
      yield graph({ name: 'an own tagger', version: '2', baseline: true });
    }
    const first = await exportGraphs({ graphs: own, about }, 'label-studio', join(folder, 'a'));
    assert.deepEqual(first.notes['object-id-repeated']?.count, 2);
    const source = labelStudio({ annotations: join(folder, 'a', 'tasks.json') });
    await exportGraphs({ graphs: () => readGraphs(source), about }, 'label-studio', join(folder, 'b'));
    for (const name of ['tasks.json', 'labeling-config.xml'])
      assert.equal(readFileSync(join(folder, 'b', name), 'utf8'), readFileSync(join(folder, 'a', name), 'utf8'));
    const { records } = await readSource(source);
    assert.deepEqual(
      records[0]?.detections.map(({ id, box }) => [id, ...box]),
      [
        [12, 0, 0, 333, 77],
        ['007', 1.1, 2.22, 331.9, 74.78],
        ['12-2', 0.333333, 0.333333, 33.333333, 7],
      ],
    );
    assert.equal(records[1]?.image.file, 'ä #1?/50% &+.jpg');
  });
});
