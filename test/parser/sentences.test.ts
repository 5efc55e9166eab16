import assert from 'node:assert/strict';
import { neuralParser, parse, ruleParser, type TextGraph } from '../../src/index.js';
import { type CaptionKinds, itReads, readTriplets } from '../support/head-triplets.js';
import { captionedRecord } from '../support/records.js';

/** What a person says that a caption states, by kind. */
const kinds: CaptionKinds = {
  'what a relative clause is about': [
    [
      'A nurse in a cap is standing at a table that is covered with bottles and cups.',
      'nurse in cap',
      'nurse standing at table',
      'table covered with bottles',
      'table covered with cups',
    ],
    ['The image shows a boy with a drum who is leaning on a gate.', 'boy with drum', 'boy leaning on gate'],
    [
      'A clerk points at a jar of pickles that stands on a crate.',
      'clerk points at jar',
      'jar of pickles',
      'jar stands on crate',
    ],
  ],
  'what "with" adds after a comma': [
    [
      'A farmer waits at a barn, with a long rope running above it.',
      'farmer waits at barn',
      'farmer with rope',
      'rope running above barn',
    ],
  ],
  'what somebody helps or watches': [
    ['A nurse is helping a small boy climb a ladder.', 'nurse helping boy', 'boy climb ladder'],
    ['In the image, a girl lets a boy push a cart.', 'girl lets boy', 'boy push cart'],
  ],
  'phrases that the network ends with a verb': [
    [
      'A wide canal passes a mill, and pale smoke billows from its roof.',
      'canal passes mill',
      'smoke billows from roof',
    ],
  ],
  'things with names that are mostly abstract': [
    ['A violin lies in a case in the shade.', 'violin in case', 'case in shade'],
  ],
  'what is said of the picture': [
    ['The image shows a nurse pushing a cart.', 'nurse pushing cart'],
    ['This is a photo of a fox standing in the snow.', 'fox standing in snow'],
    ['In this picture, a girl is feeding a pony.', 'girl feeding pony'],
  ],
  'markup and tokens of models': [
    ['**Caption:** A boy throwing a ball', 'boy throwing ball'],
    ['- A cook is stirring a pot.\n- A cat is lying on the floor.', 'cook stirring pot', 'cat lying on floor'],
    ['<|im_start|>a boy throwing a ball<|im_end|>', 'boy throwing ball'],
    ['a nurse&#39;s hand holding a cup', "nurse 's hand", 'hand holding cup'],
    ['a fox lying on a rug #fox #cozy', 'fox lying on rug'],
  ],
  'what is not so': [
    ['A boy is not wearing a coat while riding a pony.', 'boy riding pony'],
    ["A girl isn't holding a kite.", ''],
    ['no one is sitting on the sofa', ''],
    ['neither the boy nor the girl is sitting on the sofa', ''],
    ['a rug, and no dog on the rug', ''],
    ['The nurse never holds the cup next to her.', 'cup next to nurse'],
    ['Two boys, neither holding a ball, stand on a lawn.', 'boys stand on lawn'],
    ['Two boys, neither holding a ball nor a bat, stand on a lawn.', 'boys stand on lawn'],
    ['A wagon with no horse is parked next to a barn.', 'wagon parked next to barn'],
    ['A boy is pretending to carve a pumpkin with a knife.', ''],
    ['a goat, not a cow, is standing on the hill', 'goat standing on hill'],
    ['The cake has not been cut with a knife.', ''],
  ],
  'what might be': [
    ['a girl about to kick a ball', ''],
    ['a boy pretending to ride a pony', ''],
    ['A cat looks as if it is driving a truck.', ''],
    ['a boy almost falling off a pony', ''],
  ],
  'clauses side by side': [
    ['A man is holding ropes, and there is a shed in the background.', 'man holding ropes'],
    ['she is holding it in her hand', ''],
  ],
  'lists of parts, and words for places': [
    ['a table with fruit including a melon and a peach', 'table with fruit', 'table with melon', 'table with peach'],
    ['A fox is sitting atop a stone wall.', 'fox sitting atop wall'],
  ],
  'subjects that follow': [
    ['On the desk are a lamp and a vase.', 'lamp on desk', 'vase on desk'],
    ['Next to the sofa stands a lamp.', 'lamp next to sofa'],
  ],
  'clauses of a thing': [
    ['a girl whose bag is hanging on a chair', 'girl whose bag', 'bag hanging on chair'],
    ['The sofa on which a fox is sleeping is next to a lamp.', 'fox on sofa', 'sofa next to lamp'],
    ['a rug on which a fox is lying', 'fox on rug'],
    [
      'An old couple walks hand in hand along a path that leads to a lake.',
      'couple walks along path',
      'path leads to lake',
    ],
  ],
  'one another': [
    [
      'two boys in coats standing next to each other holding kites',
      'boys in coats',
      'boys standing next to boys',
      'boys holding kites',
    ],
  ],
  'places of pronouns and clauses': [
    ['A nurse is reading. A boy stands next to her on a ladder.', 'boy stands next to nurse', 'boy on ladder'],
    ['There is a big basket in which a small dog is sleeping.', 'dog in basket'],
  ],
  'loops that a captioner falls into': [
    ['a nurse with a cup on top of a cup on top of a cup on top of a cup on top of a cup', 'nurse with cup'],
    ['a fox a fox a fox a fox lying on a rug', 'fox lying on rug'],
    ['a fox with a lamp and a lamp and a lamp and a lamp and a vase', 'fox with lamp', 'fox with vase'],
    ['There is a nurse, a nurse, a nurse, a nurse holding a cup. A fox runs.', 'nurse holding cup'],
    ['a nurse and a fox and a girl on a bench', 'nurse on bench', 'fox on bench', 'girl on bench'],
  ],
  questions: [['Is the girl riding a pony?', '']],
};

describe('captions as models write them', () => {
  const parser = neuralParser();
  itReads(parser, kinds);

  it('reads each sentence by itself', () => {
    const sentences = ['A nurse is pushing a cart.', 'A fox is standing in the snow.', 'A girl is feeding a pony.'];
    for (let count = 1; count <= sentences.length; count++)
      assert.deepEqual(
        readTriplets(parser, sentences.slice(0, count).join(' ')).sort(),
        sentences
          .slice(0, count)
          .flatMap((sentence) => readTriplets(parser, sentence))
          .sort(),
      );
  });

  it('reads only the start of a very long text, whatever it consists of', () => {
    for (const part of [' ', '. ', '- ', '<', '&#39;', '**', 'not ', 'a man riding a horse in which ', '#a ', '\n1. '])
      assert.ok((parser.parse(part.repeat(300_000)) as TextGraph).relations.length < 2000);
  });

  it('finds later phrases of a long caption', () => {
    const caption = 'a kitchen with a stove, a sink and a window next to a tall cupboard filled with plates and cups';
    const found = readTriplets(parser, caption);
    for (const one of [
      'kitchen with stove',
      'kitchen with sink',
      'cupboard filled with plates',
      'cupboard filled with cups',
    ])
      assert.ok(found.includes(one), `${one} in ${found.join('; ')}`);
  });

  it('relates no single thing to itself', () => {
    const { relations } = parser.parse('Two nurses are in a hall; one is holding the gate.') as TextGraph;
    assert.ok(relations.length > 0);
    assert.ok(relations.every(({ subject, object }) => subject !== object));
  });

  it('explains pronouns at the start of a later sentence', () => {
    assert.ok(
      readTriplets(ruleParser(), 'A nurse is reading a book. Next to her, a boy is drawing a tree.').includes(
        'boy next to nurse',
      ),
    );
  });

  // cspell:disable
  for (const text of [
    'ein Mann sitzt auf einer Bank neben dem Hund',
    'un chat est assis sur la table',
    '一只猫坐在沙发上',
  ])
    it(`reads nothing of another language, and counts it: ${text}`, async () => {
      assert.deepEqual(readTriplets(parser, text), []);
      const counts: string[] = [];
      const context = { signal: new AbortController().signal, count: (name: string) => void counts.push(name) };
      await parse(parser).spec.apply(captionedRecord([], text), context);
      assert.ok(counts.includes('not-english'), counts.join());
    });
  // cspell:enable
});
