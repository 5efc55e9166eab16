import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  baselineTagger,
  caption,
  captionFile,
  coco,
  Graph,
  match,
  neuralParser,
  pair,
  parse,
  type TextParser,
  tag,
} from '../../src/index.js';
import { packageRoot } from '../../src/package-info.js';
import { temporaryFolder } from '../support/folders.js';

/** Names that other data sets and detectors use for COCO's categories: VOC, darknet, LVIS, Open Images, Objects365. */
const otherNames: Readonly<Record<string, string>> = {
  person: 'Human',
  bicycle: 'bike',
  car: 'car_(automobile)',
  motorcycle: 'motorbike',
  airplane: 'aeroplane',
  bus: 'bus_(vehicle)',
  train: 'train_(railroad_vehicle)',
  'traffic light': 'traffic signal',
  'fire hydrant': 'fireplug',
  bird: 'Wild Bird',
  backpack: 'rucksack',
  handbag: 'Handbag/Satchel',
  tie: 'necktie',
  suitcase: 'luggage',
  skis: 'ski',
  'sports ball': 'ball',
  'tennis racket': 'tennis racquet',
  'wine glass': 'wineglass',
  orange: 'orange_(fruit)',
  'hot dog': 'hotdog',
  donut: 'doughnut',
  couch: 'sofa',
  'potted plant': 'pottedplant',
  'dining table': 'diningtable',
  tv: 'tvmonitor',
  laptop: 'laptop_computer',
  mouse: 'mouse_(computer_equipment)',
  remote: 'remote control',
  keyboard: 'computer_keyboard',
  'cell phone': 'Mobile phone',
  microwave: 'microwave_oven',
  refrigerator: 'fridge',
  'teddy bear': 'teddy',
  'hair drier': 'hair dryer',
};

const rewritings: Readonly<Record<string, (name: string, index: number) => string>> = {
  'title case': (name) => name.replace(/\b\w/g, (letter) => letter.toUpperCase()),
  'upper case': (name) => name.toUpperCase(),
  snake_case: (name) => name.replaceAll(' ', '_'),
  'other names of the same classes': (name) => otherNames[name] ?? name,
  'stray blanks': (name, index) => [` ${name}`, `${name} `, name.replace(' ', '  '), `${name}\t`][index % 4]!,
  plurals: (name) => (name.endsWith('s') ? name : `${name}s`),
};

describe('the spelling of category names', () => {
  const sets = {
    'the scenes of the package': [join(packageRoot, 'fixtures', 'scenes', 'instances.json'), 'captions.json'],
    'coco-mini': ['../shared/data/coco-mini/instances_train2017.json', 'captions_train2017.json'],
  } as const;
  for (const [set, [annotations, captions]] of Object.entries(sets))
    it(`does not change the relations of ${set}`, async function () {
      if (!existsSync(annotations)) {
        console.log(`      skipped: ${annotations} does not exist`);
        this.skip();
      }
      const content = JSON.parse(readFileSync(annotations, 'utf8')) as { categories: { id: number; name: string }[] };
      // The parser reads the captions of each set once.
      const graphs = new Map<string, ReturnType<TextParser['parse']>>();
      const { parse: parseText, ...about } = neuralParser();
      const parser: TextParser = {
        ...about,
        parse: (text, context) => graphs.get(text) ?? graphs.set(text, parseText(text, context)).get(text)!,
      };
      const relationsOf = async (rewrite: (name: string, index: number) => string) => {
        const file = join(temporaryFolder(), 'instances.json');
        const categories = content.categories.map(({ id, name }, index) => ({ id, name: rewrite(name, index) }));
        writeFileSync(file, JSON.stringify({ ...content, categories }));
        const flow = new Graph('spellings')
          .from(coco({ annotations: file }))
          .pipe(caption(captionFile({ captions: join(annotations, '..', captions) })))
          .pipe(parse(parser))
          .pipe(match())
          .pipe(pair())
          .pipe(tag(baselineTagger()));
        const found: unknown[] = [];
        for await (const { image, relations } of flow.records({ onReject: () => {} }))
          found.push([image.id, relations]);
        return found;
      };
      const expected = await relationsOf((name) => name);
      assert.ok(JSON.stringify(expected).includes('predicate'));
      for (const [name, rewrite] of Object.entries(rewritings))
        assert.deepEqual(await relationsOf(rewrite), expected, name);
    });
});
