import assert from 'node:assert/strict';
import { ruleParser, type TextGraph } from '../../../src/index.js';

const parser = ruleParser();

/** Captions and all relations that the rules read in them, by kind. */
const kinds: Readonly<Record<string, readonly (readonly [caption: string, ...relations: string[]])[]>> = {
  'lists and their verbs': [
    [
      'A crate filled with nails, bolts and screws stands on the bench.',
      'crate filled with nails',
      'crate filled with bolts',
      'crate filled with screws',
      'crate stands on bench',
    ],
    [
      'The cart holds many tools, including a saw, two hammers, and a drill.',
      'cart holds tools',
      'cart holds saw',
      'cart holds hammers',
      'cart holds drill',
    ],
    ['The nurse, a woman in a blue mask, hands a cup to a boy.', 'woman in mask', 'nurse hands cup', 'cup to boy'],
  ],
  'clauses in clauses': [
    [
      'A girl whose goat is eating a carrot is holding a basket of leaves.',
      'goat eating carrot',
      'girl whose goat',
      'girl holding basket',
      'basket of leaves',
    ],
    [
      'The blue kite that the tall girl is flying is next to a very large tree.',
      'girl flying kite',
      'kite next to tree',
    ],
    [
      'A lamp hangs from the ceiling, and below it is a desk with a globe.',
      'lamp hangs from ceiling',
      'desk below lamp',
      'desk with globe',
    ],
  ],
  'words of two classes': [
    [
      'A painter stands on a wooden ladder, painting the wall of a house.',
      'painter stands on ladder',
      'painter painting wall',
      'wall of house',
    ],
    [
      'Waves rise around the boat, and a gull watches it from a rock.',
      'waves rise around boat',
      'gull watches boat',
      'gull from rock',
    ],
  ],
  'pictures in pictures and words on signs': [
    [
      'A boy is sitting next to a wall with a painting of a ship on a stormy sea.',
      'boy sitting next to wall',
      'wall with painting',
      'painting of ship',
    ],
    ['A sign that says "no dogs" is hanging on the gate of a small garden.', 'sign hanging on gate', 'gate of garden'],
    [
      'The background features a tall mountain above a lake with two boats on it.',
      'mountain above lake',
      'lake with boats',
      'boats on lake',
    ],
  ],
  'clauses around a place, and what is on top': [
    ['the chair in which a nurse is sitting stands near a window', 'nurse in chair', 'chair stands near window'],
    ['a girl riding a wave on top of a board', 'girl riding wave', 'girl on top of board'],
    ['a boy with a cap on top of a helmet', 'boy with cap', 'cap on top of helmet'],
  ],
  'companions of what is not so': [
    ['A wagon with no horse stands near a barn.', 'wagon stands near barn'],
    ['a girl on a lawn about to hit a ball with a large wooden bat', 'girl on lawn'],
    ['a pony is not visible in the stable', ''],
    ['there is a bench with no one on it next to a bicycle', 'bench next to bicycle'],
  ],
};

describe('ruleParser on sentences', () => {
  for (const [kind, captions] of Object.entries(kinds))
    for (const [caption, ...expected] of captions)
      it(`${kind}: ${JSON.stringify(caption)}`, () => {
        const { entities, relations } = parser.parse(caption) as TextGraph;
        const found = relations.map(({ subject, predicate, object }) =>
          `${entities[subject]!.head} ${predicate} ${entities[object]!.head}`.toLowerCase(),
        );
        assert.deepEqual(found.sort(), expected.filter((one) => one !== '').sort());
      });
});
