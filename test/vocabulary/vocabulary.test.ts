import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { InputError, OptionError } from '../../src/errors.js';
import { coco80Categories, objects365Categories } from '../../src/vocabulary/categories.js';
import { CategoryIndex } from '../../src/vocabulary/category-index.js';
import { loadVocabulary } from '../../src/vocabulary/vocabulary.js';

const coco80 = loadVocabulary('coco80');
const objects365 = loadVocabulary('objects365');

/** Returns a function that finds the category of a phrase in an image with every category. */
const finder = (vocabulary: typeof coco80) => {
  const index = new CategoryIndex(vocabulary);
  const all = new Set(vocabulary.synonyms.keys());
  return (span: string) => index.find(span, all).category;
};
const inCoco = finder(coco80);
const inObjects365 = finder(objects365);

describe('categories', () => {
  it("have COCO's 80 ids with the gaps of the annotation files", () => {
    assert.equal(coco80Categories.length, 80);
    assert.deepEqual(coco80Categories[0], { id: 1, name: 'person' });
    assert.deepEqual(coco80Categories[11], { id: 13, name: 'stop sign' });
    assert.deepEqual(coco80Categories[79], { id: 90, name: 'toothbrush' });
  });

  it('have the 365 ids of Objects365 by position, and its official spelling', () => {
    assert.equal(objects365Categories.length, 365);
    objects365Categories.forEach(({ id }, i) => {
      assert.equal(id, i + 1);
    });
    assert.deepEqual(objects365Categories[37], { id: 38, name: 'monitor/tv', official: 'Moniter/TV' });
    assert.deepEqual(objects365Categories[308], { id: 309, name: 'formula 1', official: 'Formula 1 ' });
    assert.deepEqual(objects365Categories[364], { id: 365, name: 'table tennis', official: 'Table Tennis ' });
  });

  it('are the keys of the vocabularies, in order', () => {
    assert.deepEqual(
      [...coco80.synonyms.keys()],
      coco80Categories.map(({ name }) => name),
    );
    assert.deepEqual(
      [...objects365.synonyms.keys()],
      objects365Categories.map(({ name }) => name),
    );
  });
});

describe('built-in vocabularies', () => {
  for (const vocabulary of [coco80, objects365]) {
    it(`${vocabulary.name}: every category lists and finds itself`, () => {
      const find = finder(vocabulary);
      for (const [name, words] of vocabulary.synonyms) {
        assert.equal(words[0], name);
        assert.equal(find(name), name);
      }
    });

    it(`${vocabulary.name}: each synonym finds its category when only that category is present`, () => {
      const index = new CategoryIndex(vocabulary);
      for (const [name, words] of vocabulary.synonyms)
        for (const word of words) assert.equal(index.find(word, new Set([name])).category, name, word);
    });
  }

  it('map the words that captions use for people to person', () => {
    const people = `man men woman women boy girl child kid baby lady guy people person skier surfer skateboarder snowboarder
      batter catcher umpire pitcher player driver rider biker motorcyclist chef bride groom couple family crowd tennis-player`;
    for (const word of people.split(/\s+/)) {
      assert.equal(inCoco(word), 'person', word);
      assert.equal(inObjects365(word), 'person', word);
    }
  });

  it('do not list adjectives or things as persons', () => {
    for (const word of ['white', 'black', 'german', 'modern', 'model', 'speaker', 'hood', 'smoothie', 'dvd player'])
      assert.equal(inCoco(word), null, word);
  });

  it('list no particular people and no offensive words', () => {
    const tasteless = `aborigine castrato commie dead-person dwarf exotic-dancer hun papoose pappoose penetrator terrorist wino
      grease-monkey stripteaser gypsy-cab squaw-corn old-squaw oldsquaw slave-ship funny-wagon crapper idiot-box eskimo-dog
      drunkard pontius-pilate robert-indiana von-blucher potemkin kennan saint-cyril`;
    for (const { synonyms } of [coco80, objects365]) {
      const listed = new Set([...synonyms.values()].flat().map((word) => word.replaceAll(' ', '-')));
      for (const word of tasteless.split(/\s+/)) assert.ok(!listed.has(word), word);
    }
  });

  it('find compounds by their kind, in one word or two', () => {
    const kinds: Record<string, string> = {
      boyfriend: 'person',
      cheerleader: 'person',
      policewoman: 'person',
      'taxi driver': 'person',
      teacup: 'cup',
      'tea spoon': 'spoon',
      'work horse': 'horse',
      hamburger: 'sandwich',
      'pit bull': 'dog',
    };
    for (const [span, category] of Object.entries(kinds)) assert.equal(inCoco(span), category, span);
    const bus = new CategoryIndex(coco80).find('coach', new Set(['bus', 'car']));
    assert.equal(bus.category, 'bus');
  });

  it('find no category for phrases that only contain the name of one', () => {
    const nothing = `charger mount lower settle shooter|jet ski|table runner|bread maker|baby walker|knee guard|wave runner|
      golf driver|mickey mouse|gummy bear|bike fork|rail tie|urinal cake|baby monitor|couch potato|banana boat|snow ball|tea maker|
      three year old|gourd`;
    for (const span of nothing
      .split(/\|\s*/)
      .flatMap((part) => (part.startsWith('charger') ? part.split(' ') : [part])))
      assert.equal(inCoco(span), null, span);
    for (const span of ['credit', 'business', 'post'].map((kind) => `${kind} card`))
      assert.equal(inObjects365(span), null, span);
    for (const span of ['mail', 'sand', 'litter'].map((kind) => `${kind} box`))
      assert.equal(inObjects365(span), null, span);
    const others = [
      'zebra print',
      'petri dish',
      'hot dog bun',
      'matchbook',
      'silkworm seed',
      'spawn',
      'angiogram',
      'popcorn',
    ];
    for (const span of others) assert.equal(inObjects365(span), null, span);
  });
});

describe('CategoryIndex', () => {
  it('uses the head and the longest synonym', () => {
    const named: Record<string, string | null> = {
      'toy car': 'car',
      'hot dog': 'hot dog',
      'large brown dog': 'dog',
      'dog house': null,
      'stuffed teddy bear': 'teddy bear',
      'wine glass': 'wine glass',
      'clock tower': null,
      'computer mouse': 'mouse',
      'train car': 'train',
      'baseball cap': null,
    };
    for (const [span, category] of Object.entries(named)) assert.equal(inCoco(span), category, span);
  });

  it('compares whole words', () => {
    for (const span of ['carrot', 'tractor', 'cattle', 'motorcycle', 'headphones', 'football'])
      assert.notEqual(inCoco(span), { carrot: 'car', cattle: 'cat', motorcycle: 'bicycle' }[span] ?? 'person');
    assert.equal(inCoco('carrot'), 'carrot');
    assert.equal(inCoco('cattle'), 'cow');
  });

  it('assigns a word to the most specific category of the vocabulary', () => {
    assert.equal(inCoco('zebra'), 'zebra');
    assert.equal(inCoco('pickup truck'), 'truck');
    assert.equal(inObjects365('pickup truck'), 'pickup truck');
    assert.equal(inCoco('bow tie'), 'tie');
    assert.equal(inObjects365('bow tie'), 'bow tie');
    assert.equal(inCoco('pigeon'), 'bird');
    assert.equal(inObjects365('pigeon'), 'pigeon');
  });

  it('reads plurals, capitals, possessives, and compounds in any spelling', () => {
    for (const span of ['skateboard', 'Skate Boards', 'skate-board', 'skate_board', "boy's skateboards"])
      assert.equal(inCoco(span), 'skateboard', span);
    assert.equal(inCoco('pairs of skis'), 'skis');
    assert.equal(inObjects365('glasses'), 'glasses');
    assert.equal(inObjects365('TV/monitor'), 'monitor/tv');
  });

  it('chooses among the categories of a word one that the image shows', () => {
    const index = new CategoryIndex(coco80);
    assert.equal(index.find('red board', new Set(['person', 'surfboard'])).category, 'surfboard');
    assert.equal(index.find('red board', new Set(['person', 'snowboard'])).category, 'snowboard');
    const balls = new CategoryIndex(objects365);
    assert.equal(balls.find('ball', new Set(['person', 'tennis'])).category, 'tennis');
  });

  it('prefers the category whose name is the word', () => {
    const index = new CategoryIndex({
      name: 'drinks',
      synonyms: new Map([
        ['cup', ['cup', 'glass']],
        ['glass', ['glass']],
      ]),
    });
    assert.equal(index.find('glass', new Set(['cup', 'glass'])).category, 'glass');
    assert.equal(index.find('glass', new Set(['cup'])).category, 'cup');
  });

  it('stops at a misnomer, unless the vocabulary lists it', () => {
    const animals = new CategoryIndex({ name: 'animals', synonyms: new Map([['lion', ['lion']]]) });
    assert.deepEqual(animals.find('big sea lion', new Set(['lion'])), {
      category: null,
      why: "no category for 'sea lion'",
    });
    assert.equal(inObjects365('sea lion'), 'seal');
    assert.equal(inCoco('home plate'), null);
    assert.equal(inObjects365('license plate'), null);
  });

  it('stops at a compound written as two words', () => {
    const compounds = `sun glasses|card board|dash board|meat ball|eye balls|pine apple|screw driver|pan cakes|time table|
      mud guard|old eye-ball`;
    for (const span of compounds.split(/\|\s*/)) assert.equal(inCoco(span), null, span);
    for (const span of ['horse shoe', 'knee cap']) assert.equal(inObjects365(span), null, span);
    assert.equal(inObjects365('sun screen'), inObjects365('sunscreen'));
    assert.equal(inObjects365('pine apple'), 'pineapple');
    assert.equal(inCoco('foot ball'), 'sports ball');
    assert.equal(inCoco('surf board'), 'surfboard');
    assert.equal(inCoco('hand bag'), 'handbag');
    assert.equal(inCoco('black bird'), 'bird');
    const apples = new CategoryIndex({ name: 'fruit', synonyms: new Map([['apple', ['apple']]]) });
    assert.deepEqual(apples.find('ripe pine apple', new Set(['apple'])), {
      category: null,
      why: "no category for 'pine apple'",
    });
  });

  it('gives the reason', () => {
    const index = new CategoryIndex(coco80);
    const shown = new Set(['person', 'dog']);
    assert.deepEqual(index.find('tall guy', shown), { category: 'person', why: "'guy' names person" });
    assert.deepEqual(index.find('hot dog', shown), {
      category: null,
      why: 'hot dog: not detected in this image',
      isAbsent: true,
    });
    assert.deepEqual(index.find('blue sky', shown), { category: null, why: "no category for 'sky'" });
    assert.deepEqual(index.find('', shown), { category: null, why: "no category for ''" });
  });
});

describe('loadVocabulary', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'relflow-vocabulary-'));
  });
  after(() => rmSync(folder, { recursive: true }));
  const file = (name: string, content: string) => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  };

  it('reads a file of {category: [synonym, …]} and names the vocabulary after it', () => {
    const vocabulary = loadVocabulary(file('pets.json', '{"dog": ["dog", "puppy"], "cat": []}'));
    assert.equal(vocabulary.name, 'pets');
    assert.deepEqual(
      [...vocabulary.synonyms],
      [
        ['dog', ['dog', 'puppy']],
        ['cat', []],
      ],
    );
    assert.equal(new CategoryIndex(vocabulary).find('cats', new Set(['cat'])).category, 'cat');
  });

  it('lists the built-in vocabularies for an unknown name', () => {
    assert.throws(
      () => loadVocabulary('coco81'),
      new OptionError(
        'match',
        "unknown vocabulary 'coco81', expected one of coco80, objects365 or a path to a JSON file of {category: [synonym, …]}",
        { vocabulary: 'coco81' },
      ),
    );
  });

  it('reads UTF-16, a byte order mark and gzip', () => {
    const text = JSON.stringify({ dog: ['puppy', 'hound'] });
    const path = join(folder, 'pets.json');
    for (const content of [
      Buffer.from(`\ufeff${text}`),
      Buffer.from(`\ufeff${text}`, 'utf16le'),
      Buffer.from(text, 'utf16le'),
      gzipSync(text),
    ]) {
      writeFileSync(path, content);
      assert.deepEqual(loadVocabulary(path).synonyms.get('dog'), ['puppy', 'hound']);
    }
  });

  it('reports what is wrong with a file', () => {
    const expected = 'a vocabulary {category: [synonym, …]}';
    const problems: [string, string, string][] = [
      ['text.json', 'dog', `is not valid JSON: Unexpected token 'd', "dog" is not valid JSON; expected ${expected}`],
      [
        'page.json',
        '<!DOCTYPE html><html></html>',
        `the file is an HTML page, expected ${expected}: a download that failed or needs a login gives such a page`,
      ],
      [
        'pointer.json',
        'version https://git-lfs.github.com/spec/v1\noid sha256:1\n',
        `the file is a git-lfs pointer instead of the file itself, expected ${expected}: fetch it with 'git lfs pull'`,
      ],
      [
        'lines.json',
        '{"dog": ["puppy"]}\n{"cat": []}\n',
        `the file is JSON lines (one JSON value per line), expected ${expected} as one value`,
      ],
      ['empty.json', '\n', `the file is empty, expected ${expected}`],
      ['list.json', '[["dog"]]', 'expected a vocabulary {category: [synonym, …]}, found [["dog"]]'],
      ['word.json', '{"dog": "puppy"}', 'expected a list of strings as synonyms of \'dog\', found "puppy"'],
      ['number.json', '{"dog": [1]}', "expected a list of strings as synonyms of 'dog', found [1]"],
      ['large.json', ' '.repeat(16 * 2 ** 20 + 1), '16777217 bytes, expected a vocabulary of at most 16777216 bytes'],
    ];
    for (const [name, content, problem] of problems) {
      const path = file(name, content);
      assert.throws(() => loadVocabulary(path), { name: InputError.name, message: `${path}: ${problem}` });
    }
  });
});
