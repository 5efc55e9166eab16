import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import cocoRecipe from '../../pipelines/coco-pipeline.js';
import { buildRecipe, exportRun, type Recipe, RunFolder, run } from '../../src/index.js';
import { temporaryFolder } from '../support/folders.js';

/** Boxes as `[category, x, y, w, h]`; a crowd has the sixth value 'crowd'. */
type Boxes = readonly (readonly [string, number, number, number, number, 'crowd'?])[];
/** Relations of one caption, `[subject span, relation, object span]`. */
type Caption = readonly (readonly [string, string, string])[];

/** Entries like those of the official lists, so that the expected results can be derived by hand. */
const VOCABULARY = {
  person: ['person', 'man', 'woman', 'actor', 'hand', 'foot'],
  bicycle: ['bicycle', 'bike', 'cycle'],
  car: ['car'],
  motorcycle: ['motorcycle'],
  dog: ['dog'],
  horse: ['horse'],
  handbag: ['handbag', 'bag'],
  truck: ['truck', 'tractor'],
  carrot: ['carrot'],
};

/** Returns the official candidate JSON of one image of 100 × 100 pixels, from the recipe `coco` with `compat`. */
async function candidates(boxes: Boxes, captions: readonly Caption[], vocabulary?: string): Promise<unknown> {
  const folder = temporaryFolder();
  const file = (name: string, value: unknown) => {
    writeFileSync(join(folder, name), JSON.stringify(value));
    return join(folder, name);
  };
  const names = [...new Set(boxes.map(([name]) => name))];
  const annotations = file('instances_val2017.json', {
    images: [{ id: 7, width: 100, height: 100, file_name: '7.jpg' }],
    annotations: boxes.map(([name, x, y, w, h, crowd], index) => {
      return {
        id: index + 1,
        image_id: 7,
        category_id: names.indexOf(name) + 1,
        bbox: [x, y, w, h],
        iscrowd: crowd ? 1 : 0,
      };
    }),
    categories: names.map((name, index) => ({ id: index + 1, name })),
  });
  const parsed = file('parsed.json', {
    7: captions.map((caption) => ({
      entities: caption
        .flatMap(([subject, , object]) => [subject, object])
        .map((span) => ({
          span,
          head: span.split(' ').at(-1),
          lemma_head: span.split(' ').at(-1),
          lemma_span: span,
          span_bounds: [0, 1],
          type: 'unknown',
          modifiers: [],
        })),
      relations: caption.map(([, relation], index) => {
        return { subject: 2 * index, object: 2 * index + 1, relation, lemma_relation: relation };
      }),
    })),
  });
  const options = { annotations, parsed, compat: true, vocabulary: vocabulary ?? file('vocabulary.json', VOCABULARY) };
  const { graph } = await buildRecipe(cocoRecipe as unknown as Recipe, options);
  const out = join(folder, 'out');
  await run(graph, { out });
  await exportRun(new RunFolder(out), 'rlipv2-candidates', join(folder, 'candidates.json'));
  return JSON.parse(readFileSync(join(folder, 'candidates.json'), 'utf8'));
}

const at = (name: string, x: number): Boxes[number] => [name, x, 10, 10, 10];

describe('compat: the official candidate JSON', () => {
  it('B-2: a synonym matches anywhere in a phrase', async () => {
    const boxes = [at('person', 0), at('dog', 20)];
    assert.deepEqual(await candidates(boxes, [[['a red tractor', 'next to', 'hot dog']]]), {
      7: [[[[0, 1]], ['next to']]],
    });
    assert.deepEqual(await candidates(boxes, [[['a handbag', 'near', 'doghouse']]]), { 7: [[[[0, 1]], ['near']]] });
    assert.deepEqual(await candidates([at('car', 0), at('dog', 20)], [[['carrot', 'on', 'dog']]]), {
      7: [[[[0, 1]], ['on']]],
    });
  });

  it('B-3: of several matching categories the last in the file wins', async () => {
    const person = at('person', 0);
    const handbag = at('handbag', 20);
    const dog = at('dog', 40);
    const caption: Caption = [['a handbag', 'on', 'dog']];
    assert.deepEqual(await candidates([person, handbag, dog], [caption]), { 7: [[[[1, 2]], ['on']]] });
    assert.deepEqual(await candidates([handbag, person, dog], [caption]), { 7: [[[[1, 2]], ['on']]] });
    assert.deepEqual(await candidates([handbag, dog, person, dog], [caption]), {
      7: [
        [
          [
            [2, 1],
            [2, 3],
          ],
          ['on'],
        ],
      ],
    });
  });

  it('B-4: a category with only crowd or degenerate boxes still takes the phrase, so there is no pair', async () => {
    const caption: Caption = [['a motorcycle', 'near', 'dog']];
    const boxes: Boxes = [at('motorcycle', 0), at('dog', 20)];
    assert.deepEqual(
      await candidates([...boxes, [...at('bicycle', 40).slice(0, 5), 'crowd'] as unknown as Boxes[number]], [caption]),
      { 7: [[[], []]] },
    );
    assert.deepEqual(await candidates([...boxes, ['bicycle', 40, 10, 0, 10]], [caption]), { 7: [[[], []]] });
    assert.deepEqual(await candidates(boxes, [caption]), { 7: [[[[0, 1]], ['near']]] });
  });

  it('B-5: a phrase names a category, so all of its boxes are paired, subject first', async () => {
    const boxes = [at('person', 0), at('horse', 20), at('person', 40), at('horse', 60)];
    assert.deepEqual(await candidates(boxes, [[['a man', 'riding', 'a horse']]]), {
      7: [
        [
          [
            [0, 1],
            [0, 3],
            [2, 1],
            [2, 3],
          ],
          ['riding'],
        ],
      ],
    });
    assert.deepEqual(await candidates(boxes, [[['a man', 'hugging', 'a woman']]]), {
      7: [
        [
          [
            [0, 2],
            [2, 0],
          ],
          ['hugging'],
        ],
      ],
    });
  });

  it('B-6: without a candidate there is one empty group, and a multiple of 100 ends with one', async () => {
    const boxes = Array.from({ length: 10 }, (_, index) => at('person', index * 10));
    assert.deepEqual(await candidates(boxes, [[['a man', 'with', 'a kite']]]), { 7: [[[], []]] });
    const twoTexts: Caption[] = [[['a man', 'near', 'woman']], [['man', 'by', 'man']]];
    const { 7: groups } = (await candidates(boxes, twoTexts)) as { 7: [unknown[], string[]][] };
    assert.deepEqual(
      groups.map(([pairs, texts]) => [pairs.length, texts]),
      [
        [100, ['near', 'by']],
        [80, ['near', 'by']],
      ],
    );
    const five = boxes.slice(0, 5);
    const fiveTexts = ['a', 'b', 'c', 'd', 'e'].map((text): Caption => [['man', text, 'man']]);
    const { 7: hundred } = (await candidates(five, fiveTexts)) as { 7: [unknown[], string[]][] };
    assert.deepEqual(
      hundred.map(([pairs, texts]) => [pairs.length, texts.length]),
      [
        [100, 5],
        [0, 0],
      ],
    );
  });

  it('B-7: a pair occurs once for each of its texts', async () => {
    const boxes = [at('person', 0), at('dog', 20)];
    const captions: Caption[] = [
      [['man', 'walking', 'dog']],
      [['woman', 'holding', 'dog']],
      [['man', 'walking', 'dog']],
    ];
    assert.deepEqual(await candidates(boxes, captions), {
      7: [
        [
          [
            [0, 1],
            [0, 1],
          ],
          ['walking', 'holding'],
        ],
      ],
    });
  });

  it('B.3: phrases are lower-cased, relations stay as they are', async () => {
    const boxes = [at('person', 0), at('dog', 20)];
    const captions: Caption[] = [[['A MAN', 'Walking ', 'Dog']], [['a man', 'walking', 'dog']]];
    assert.deepEqual(await candidates(boxes, captions), {
      7: [
        [
          [
            [0, 1],
            [0, 1],
          ],
          ['Walking ', 'walking'],
        ],
      ],
    });
  });

  it('B.5: indexes count boxes without crowd and degenerate ones, in file order', async () => {
    const boxes: Boxes = [
      [...at('dog', 0).slice(0, 5), 'crowd'] as unknown as Boxes[number],
      ['person', 120, 10, 10, 10],
      at('dog', 20),
      ['person', 95, 95, 10, 10],
      ['person', 95, 95, 10, 10],
    ];
    assert.deepEqual(await candidates(boxes, [[['man', 'near', 'dog']]]), {
      7: [
        [
          [
            [1, 0],
            [2, 0],
          ],
          ['near'],
        ],
      ],
    });
  });

  it('with the official lists', async function () {
    const official = '../shared/data/official-vocab/hico_obj_paraphrase.json';
    if (!existsSync(official)) {
      console.log('      skipped: the official lists are missing');
      this.skip();
    }
    const boxes = [at('person', 0), at('bicycle', 20), at('motorcycle', 40)];
    // 'motorcyclist' contains 'motorcyclist' and 'cycle'; 'motorcycle' contains 'cycle' and, last, itself.
    assert.deepEqual(await candidates(boxes, [[['the motorcyclist', 'on', 'a motorcycle']]], official), {
      7: [[[[0, 2]], ['on']]],
    });
    assert.deepEqual(
      await candidates([at('motorcycle', 0), at('bicycle', 20)], [[['a motorcycle', 'by', 'the bike']]], official),
      {
        7: [[[], []]],
      },
    );
    assert.deepEqual(
      await candidates([at('person', 0), at('truck', 20)], [[['a tractor', 'pulling', 'a truck']]], official),
      {
        7: [[[[0, 1]], ['pulling']]],
      },
    );
  });
});
