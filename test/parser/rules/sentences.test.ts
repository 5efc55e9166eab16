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
    [
      'The nurse, a woman in a blue mask, hands a cup to a boy.',
      'nurse in mask',
      'nurse hands cup',
      'nurse hands to boy',
    ],
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
  'a phrase with places of its own begins a clause': [
    [
      'A nurse is sitting on a stool, and a doctor in a green coat is looking at a screen.',
      'nurse sitting on stool',
      'doctor in coat',
      'doctor looking at screen',
    ],
    [
      'A lamp hangs over the desk, and a jar with pens has been placed next to the keyboard.',
      'lamp hangs over desk',
      'jar with pens',
      'jar placed next to keyboard',
    ],
    ['Above the stove hang three pans, and a cat is curled up on the mat.', 'pans above stove', 'cat curled up on mat'],
    ['Under the bridge stands a cart, and two goats lie near it.', 'cart under bridge', 'goats lie near cart'],
    [
      'A clown stands next to a tent, and to his left, a monkey in a vest is riding a tricycle.',
      'clown stands next to tent',
      'monkey to left clown',
      'monkey in vest',
      'monkey riding tricycle',
    ],
    [
      'a girl with a doll on her knee and a broom leaning against the wall',
      'girl with doll',
      'doll on knee',
      'broom leaning against wall',
      'girl her knee',
    ],
  ],
  'lists of what is in and on things': [
    [
      'The shelf is filled with jars of honey, bottles of oil, and a basket of eggs.',
      'shelf filled with jars',
      'jars of honey',
      'shelf filled with bottles',
      'bottles of oil',
      'shelf filled with basket',
      'basket of eggs',
    ],
    [
      'a tray of cakes with sugar and a jug of milk on a bench',
      'tray of cakes',
      'cakes with sugar',
      'jug of milk',
      'jug on bench',
    ],
    [
      'a bucket full of nails and a paint can under a shelf',
      'bucket full of nails',
      'bucket under shelf',
      'can under shelf',
    ],
  ],
  'prepositions of a verb after its object': [
    ['a girl staring out the door at a goat', 'girl staring out door', 'girl staring at goat'],
    ['a boy riding a pony down a lane', 'boy riding pony', 'boy riding down lane'],
    ['calves drinking milk from a trough', 'calves drinking milk', 'calves drinking from trough'],
    ['a clown performing a somersault on a trampoline', 'clown performing somersault', 'clown on trampoline'],
    ['a farmer taking a photo of a goose', 'farmer taking photo', 'farmer taking photo of goose', 'photo of goose'],
  ],
  'sides, parts and containers': [
    ['A nurse is holding a cup in her left hand.', 'nurse holding cup', 'cup in hand', 'nurse her hand'],
    ['a jar with its lid off next to a spoon', 'jar with lid', 'jar next to spoon'],
    ['a horse with its head in the river', 'horse with head', 'head in river'],
    ['a cow standing on the side of a hill near a barn', 'cow standing on side of hill', 'cow near barn'],
    ['a broom next to a paint can', 'broom next to can'],
    ['a boy sitting at the foot of a tree', 'boy sitting at foot of tree'],
    [
      'ducks on a lake with reeds around it under a gray sky',
      'ducks on lake',
      'lake with reeds',
      'reeds around lake',
      'ducks under sky',
    ],
  ],
  'pronouns of clauses': [
    [
      'Two cows stand in a meadow. Their tails are raised as they eat hay.',
      'cows stand in meadow',
      'cows eat hay',
      'cows their tails',
    ],
    ['A nurse holds a baby. She is feeding it.', 'nurse holds baby', 'nurse feeding baby'],
    [
      'One of the girls is kicking a ball while the boy next to her is watching.',
      'girls kicking ball',
      'boy next to girls',
    ],
    [
      'A boy points a stick at a dog, and a man throws a ball to him.',
      'boy points stick',
      'stick at dog',
      'man throws ball',
      'ball to boy',
    ],
  ],
  'lists after a modifier': [
    [
      'The den contains an armchair facing a stove, a carpet with a floral pattern, and a piano in the corner.',
      'den contains armchair',
      'armchair facing stove',
      'den contains carpet',
      'carpet with pattern',
      'den contains piano',
      'piano in corner',
    ],
    [
      'On the shelf, there are a radio, a vase with a rose in it, and a bowl filled with keys.',
      'radio on shelf',
      'vase on shelf',
      'vase with rose',
      'rose in vase',
      'bowl on shelf',
      'bowl filled with keys',
    ],
  ],
  'from one place to another': [
    [
      'a nurse pouring tea from a kettle into a mug',
      'nurse pouring tea',
      'nurse pouring from kettle',
      'nurse pouring into mug',
    ],
    [
      'a boy carrying a kite walking out of a barn toward a fence',
      'boy carrying kite',
      'boy walking out of barn',
      'boy walking toward fence',
    ],
    ['a hill overlooking a harbor', 'hill overlooking harbor'],
    ['a tractor with its lights on rolling into a barn', 'tractor with lights', 'tractor rolling into barn'],
  ],
  'phrases that are not places': [
    ['a melon cut in half on a cutting board', 'melon cut in half', 'melon on board'],
    ['twins posing for a photo in front of a gate', 'twins posing for photo', 'twins in front of gate'],
    [
      'a girl looking at a mural of a horse on the wall of a school',
      'girl looking at mural',
      'mural of horse',
      'mural on wall',
      'wall of school',
    ],
    [
      'a boy lying on a sofa with a book on his chest',
      'boy lying on sofa',
      'boy with book',
      'book on chest',
      'boy his chest',
    ],
  ],
  'families and bodies of water': [
    ['A family of foxes is resting next to a body of water.', 'foxes resting next to water'],
    ['In the heart of a meadow, a girl is flying a kite.', 'girl in heart of meadow', 'girl flying kite'],
  ],
  'words of more classes': [
    ['There is a modern building with a tower next to a pond.', 'building with tower', 'tower next to pond'],
    [
      'A skunk with a mark on its striped back walks along a wall.',
      'skunk with mark',
      'mark on back',
      'skunk walks along wall',
      'skunk its back',
    ],
    ['There are no cars or carts on the lane, but a goose stands near the gate.', 'goose stands near gate'],
    ['Despite the snow, a girl is eating an ice cream cone.', 'girl eating cone'],
  ],
  'nouns and verbs of one form': [
    ['Rows of lanterns twinkle above the square.', 'lanterns twinkle above square'],
    [
      'the back of a cart loaded with hay and sacks rolling down a lane',
      'cart loaded with hay',
      'cart loaded with sacks',
      'cart rolling down lane',
    ],
    ['A stand is surrounded by small bowls of nuts.', 'stand surrounded by bowls', 'bowls of nuts'],
    ['an old barn wall and a gate lean against a tree', 'wall lean against tree', 'gate lean against tree'],
  ],
  'clauses about what a thing does': [
    ['a girl looks at a big hill that has a hut on it', 'girl looks at hill', 'hill has hut', 'hut on hill'],
    ['a nurse climbs a ladder that leans against a balcony', 'nurse climbs ladder', 'ladder leans against balcony'],
    [
      'A boy has his hair tied in a knot and is feeding a carrot to a pony.',
      'boy has hair',
      'hair tied in knot',
      'boy feeding carrot',
      'boy feeding to pony',
    ],
    [
      'A girl leans against a fence, her feet propped up on a crate.',
      'girl leans against fence',
      'feet propped up on crate',
      'girl her feet',
    ],
    ['a person with their arms outstretched looking at a lake', 'person with arms', 'person looking at lake'],
    ['A tray is on the desk. A cup of tea stands near it.', 'tray on desk', 'cup of tea', 'cup stands near tray'],
  ],
  'subjects after "and"': [
    [
      'A cook waits next to a stove, and steam is rising from the pots.',
      'cook waits next to stove',
      'steam rising from pots',
    ],
    [
      'Two goats stand next to a wall, and a lamp and a vase are placed on it.',
      'goats stand next to wall',
      'lamp placed on wall',
      'vase placed on wall',
    ],
    [
      'A girl sits next to a nurse, and her cousin, who wears a cap, holds a flag.',
      'girl sits next to nurse',
      'cousin wears cap',
      'cousin holds flag',
      'girl her cousin',
    ],
    [
      'Hay hangs over a fence, and a pile of wood is stacked against the barn.',
      'hay hangs over fence',
      'wood stacked against barn',
    ],
    [
      'The desk holds two globes, a slice of cake, and a pair of gloves.',
      'desk holds globes',
      'desk holds cake',
      'desk holds gloves',
    ],
  ],
  'verbs of one form with nouns': [
    ['A nurse holds a glass of milk and smiles at a boy.', 'nurse holds glass', 'glass of milk', 'nurse smiles at boy'],
    [
      'A clerk in a dark uniform checks passports near a gate.',
      'clerk in uniform',
      'clerk checks passports',
      'clerk near gate',
    ],
    ['Two glasses of cold milk stand on the bench.', 'glasses of milk', 'glasses stand on bench'],
    [
      'Two nurses are in a kitchen. One is stirring a pot while the other chops onions.',
      'nurses in kitchen',
      'nurses stirring pot',
      'nurses chops onions',
    ],
  ],
  'prepositions of a verb with an object': [
    ['A cook is tightening a valve with a wrench.', 'cook tightening valve', 'cook tightening with wrench'],
    ['a boy loading crates into a cart', 'boy loading crates', 'boy loading into cart'],
    ['A goat is pulling two carts along a fence.', 'goat pulling carts', 'goat pulling along fence'],
    ['A clerk is cutting a ribbon for a girl.', 'clerk cutting ribbon', 'clerk cutting for girl'],
    ['The radio is connected to a lamp by a wire.', 'radio connected to lamp', 'radio connected by wire'],
    ['Two goats are making their way toward a barn.', 'goats making way', 'goats making way toward barn'],
    ['A nurse knits a sock in an armchair.', 'nurse knits sock', 'nurse in armchair'],
    ['a boy wearing a scarf with stripes', 'boy wearing scarf', 'scarf with stripes'],
    ['a girl pushing open the door to a barn', 'girl pushing door', 'door to barn'],
  ],
  'pronouns and places': [
    [
      'Two lamps hang over a bench. A shelf with hooks is mounted above them.',
      'lamps hang over bench',
      'shelf with hooks',
      'shelf mounted above lamps',
    ],
    [
      'A nurse sits on a bench. A boy is walking along the wall behind her.',
      'nurse sits on bench',
      'boy walking along wall',
      'wall behind nurse',
    ],
    ['A goat stands a few steps away, next to a barn.', 'goat next to barn'],
    ['The nurse, a woman with a cap, waits behind a desk.', 'nurse with cap', 'nurse waits behind desk'],
  ],
  'times and compounds': [
    ['a boy walking along a beach at sunset', 'boy walking along beach'],
    ['A pilot is talking with a flight attendant.', 'pilot talking with attendant'],
    ['a modern living room with a lamp', 'room with lamp'],
  ],
  'lists that go on': [
    [
      'The cart holds a bowl of berries covered in sugar, a small jar, and a mug.',
      'cart holds bowl',
      'cart holds jar',
      'cart holds mug',
      'bowl of berries',
      'berries covered in sugar',
    ],
    [
      'On a bench are jars of honey, a stack of plates, and a tray of pears.',
      'jars on bench',
      'plates on bench',
      'tray on bench',
      'jars of honey',
      'tray of pears',
    ],
    [
      'The cart has a bag attached to its seat and a bell hanging from a hook.',
      'cart has bag',
      'cart has bell',
      'bag attached to seat',
      'bell hanging from hook',
    ],
    ['The tents are folded, and a boy in shorts is sitting on a crate.', 'boy in shorts', 'boy sitting on crate'],
    ['a barn with stone walls and hanging lamps', 'barn with walls', 'barn with lamps'],
    [
      'The bench is set with plates and an oil can stands beside it.',
      'bench set with plates',
      'can stands beside bench',
    ],
  ],
  'those of the last sentences': [
    [
      'A girl is riding a pony. The pony is brown with a white mane. They are moving along the shore.',
      'girl riding pony',
      'pony with mane',
      'girl moving along shore',
      'pony moving along shore',
    ],
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
