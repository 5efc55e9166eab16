import assert from 'node:assert/strict';
import { CaptionReader } from '../../../src/parser/neural/caption-reader.js';
import { neuralParser } from '../../../src/parser/neural/neural-parser.js';
import { toFactual } from '../../../src/records/factual-graph.js';
import type { TextGraph } from '../../../src/records/text-graph.js';

const parser = neuralParser({ minConfidence: 0 });
const parse = (caption: string) => parser.parse(caption) as TextGraph;
const triplets = (caption: string) =>
  toFactual(parse(caption))
    .relations.map(({ subject, predicate, object }) => `${subject} ${predicate} ${object}`)
    .sort();

describe('neuralParser', () => {
  for (const [caption, expected] of [
    ['a man riding a horse', ['man ride horse']],
    ['The cat is sleeping on a red couch.', ['cat sleep on couch']],
    ['a man and a woman sitting on a bench', ['man sit on bench', 'woman sit on bench']],
    ['a cup next to a plate', ['cup next to plate']],
    ['the chair is in front of the desk', ['chair in front of desk']],
    ['a bird on top of the roof', ['bird on top of roof']],
    ['a man wearing a blue shirt and a hat', ['man wear hat', 'man wear shirt']],
    ['the leg of the table', ['table have leg']],
    ["the man's hat", ['man have hat']],
    ['a table covered by a white cloth', ['cloth cover table']],
    ['there is a lamp on the desk', ['lamp on desk']],
    ['a group of people standing in a field', ['people stand in field']],
    ['a woman holding an umbrela', ['woman hold umbrella']],
    ['A dog catches a frisbee. A man watches.', ['dog catch frisbee']],
  ] as const)
    it(`reads “${caption}”`, () => {
      assert.deepEqual(triplets(caption), expected);
    });

  it('assigns attributes and numbers to entities', () => {
    const { attributes } = toFactual(parse('two small dogs on the green grass'));
    assert.deepEqual(attributes.map(({ entity, attribute }) => `${entity} ${attribute}`).sort(), [
      'dogs 2',
      'dogs small',
      'grass green',
    ]);
  });

  it('returns the offsets and head of each phrase, and the surface, lemma and confidence of each predicate', () => {
    const caption = 'A Man is riding the brown horses';
    const { entities, relations } = parse(caption);
    assert.deepEqual(
      entities.map(({ span, start, end, head, lemma }) => ({
        span,
        same: caption.slice(start, end) === span,
        head,
        lemma,
      })),
      [
        { span: 'Man', same: true, head: 'man', lemma: 'man' },
        { span: 'horses', same: true, head: 'horses', lemma: 'horse' },
      ],
    );
    assert.equal(relations.length, 1);
    const { predicate, lemma, confidence } = relations[0]!;
    assert.deepEqual([predicate, lemma], ['riding', 'ride']);
    assert.ok(confidence! > 0.5 && confidence! <= 1);
  });

  describe('words a predicate as the caption does', () => {
    const stated = (caption: string) => {
      const { entities, relations } = parse(caption);
      return relations.map(({ subject, predicate, lemma, object, inferred }) => [
        entities[subject]!.span,
        predicate,
        entities[object]!.span,
        lemma,
        inferred,
      ]);
    };
    for (const [caption, ...expected] of [
      [
        'a table covered by a white cloth',
        'table',
        'covered by',
        'cloth',
        'cover by',
        { lemma: 'cover', swapped: true },
      ],
      ['a cat lying on a rug', 'cat', 'lying on', 'rug', 'lie on', { lemma: 'lay on' }],
      ['a man in a blue shirt', 'man', 'in', 'shirt', 'in', { lemma: 'wear' }],
      ['a man in a striped shirt', 'man', 'in', 'shirt', 'in', { lemma: 'wear' }],
      ['a train station for people', 'train', '', 'station', '', { lemma: 'for', swapped: true }],
      ['the leg of the table', 'leg', 'of', 'table', 'of', { lemma: 'have', swapped: true }],
      ["the man's hat", 'man', "'s", 'hat', "'s", { lemma: 'have' }],
      ['a man riding a horse', 'man', 'riding', 'horse', 'ride', undefined],
    ] as const)
      it(caption, () => assert.deepEqual(stated(caption), [expected]));
  });

  it('resolves “each other” to the subject', () => {
    const { entities, relations } = parse('two dogs facing each other');
    assert.deepEqual(
      entities.map(({ span }) => span),
      ['dogs'],
    );
    assert.deepEqual(
      relations.map(({ subject, object, lemma }) => [subject, lemma, object]),
      [[0, 'face', 0]],
    );
  });

  it('drops relations below a confidence of 0.6 unless another is given', () => {
    assert.equal(neuralParser().version, neuralParser({ minConfidence: 0.6 }).version);
    assert.notEqual(neuralParser().version, parser.version);
  });

  it('returns the same graph whatever captions came before', () => {
    const captions = [
      'a man riding a horse',
      'a zorbo on the glimp',
      'plates of food on a table',
      'a man riding a horse',
    ];
    const graphs = captions.map(parse);
    assert.deepEqual(graphs[0], graphs[3]);
    const other = neuralParser({ minConfidence: 0 });
    assert.deepEqual(
      [...captions].reverse().map((caption) => other.parse(caption)),
      [...graphs].reverse(),
    );
  });

  it('names a kernel that traps', () => {
    const { read } = CaptionReader.prototype;
    CaptionReader.prototype.read = () => {
      throw new WebAssembly.RuntimeError('memory access out of bounds');
    };
    try {
      assert.throws(() => neuralParser().parse('a man riding a horse'), {
        reason: 'kernel-failed',
        message: /^neuralParser: a kernel failed on the caption "a man riding a horse": memory access out of bounds/,
      });
    } finally {
      CaptionReader.prototype.read = read;
    }
  });

  it('does not throw for any text', () => {
    for (const text of [
      '',
      ' ',
      '...,,,!!!',
      '🐶 on a 🛹 👩‍👩‍👧',
      '一只猫坐在沙发上',
      'قطة على الأريكة',
      '\0\x01\x1b[31m a man\u202e on a horse',
      "''''s 's 's",
      'of of of of',
      'a'.repeat(5000),
      'man on horse '.repeat(5000),
      'and '.repeat(10_000),
    ]) {
      const { entities, relations } = parse(text);
      for (const { span, start, end } of entities) assert.equal(text.slice(start, end), span);
      for (const { subject, object } of relations) assert.ok(entities[subject] && entities[object]);
    }
  });
});
