import assert from 'node:assert/strict';
import Value from 'typebox/value';
import { maxCaptionLength } from '../../../src/parser/language/tokenize.js';
import { ruleParser } from '../../../src/parser/rules/rule-parser.js';
import { type TextGraph, TextGraphSchema } from '../../../src/records/text-graph.js';

const parser = ruleParser();
const parse = (caption: string) => parser.parse(caption) as TextGraph;

/** Returns one `subject | predicate | object` per relation, by spans. */
function triplets(caption: string): string[] {
  const { entities, relations } = parse(caption);
  return relations.map((r) => `${entities[r.subject]!.span} | ${r.predicate} | ${entities[r.object]!.span}`);
}

const spans = (caption: string) => parse(caption).entities.map(({ span }) => span);
const lemmas = (caption: string) => parse(caption).relations.map(({ lemma }) => lemma);
const attributes = (caption: string) =>
  parse(caption).entities.map(({ head, attributes }) => [head, ...attributes.map(({ text }) => text)].join(' '));
const quantities = (caption: string) => parse(caption).entities.map(({ span, quantity }) => `${span}: ${quantity}`);

/** Checks the invariants of graphs, which hold for any text. */
function assertSound(caption: string): void {
  const graph = parse(caption);
  assert.ok(Value.Check(TextGraphSchema, graph), `not a text graph: ${JSON.stringify(graph)}`);
  for (const { span, start, end, head } of graph.entities) {
    assert.equal(caption.slice(start, end), span);
    assert.ok(span.toLowerCase().endsWith(head) || /['’‐‑]/.test(span), `${head} does not end ${span}`);
  }
  for (const { subject, object } of graph.relations)
    assert.ok(Math.max(subject, object) < graph.entities.length, 'a relation without its entity');
}

describe('ruleParser', () => {
  describe('noun phrases', () => {
    it('have spans without determiners, UTF-16 offsets, heads and lemmas', () => {
      const caption = 'Two brown Dogs and the man’s skis';
      assert.deepEqual(parse(caption).entities, [
        {
          span: 'Two brown Dogs',
          start: 0,
          end: 14,
          head: 'dogs',
          lemma: 'dog',
          name: 'dog',
          attributes: [{ text: 'brown', lemma: 'brown' }],
          quantity: 'two',
        },
        { span: 'man', start: 23, end: 26, head: 'man', lemma: 'man', attributes: [] },
        { span: 'skis', start: 29, end: 33, head: 'skis', lemma: 'ski', name: 'ski', attributes: [] },
      ]);
    });

    it('keep coordinated adjectives together and split coordinated nouns', () => {
      assert.deepEqual(attributes('a black and white cat with red apples and a pear'), [
        'cat black white',
        'apples red',
        'pear',
      ]);
      assert.deepEqual(attributes('a light blue, old truck'), ['truck light blue old']);
    });

    it('have no attributes that are part of a name', () => {
      assert.deepEqual(attributes('a big hot dog on a cutting board'), ['dog big', 'board']);
    });

    it('are the people in "a group of people"', () => {
      assert.deepEqual(quantities('A large group of young people with a couple of dogs and two slices of pizza'), [
        'young people: group',
        'dogs: couple',
        'pizza: slices',
      ]);
    });

    it('are the plate and the food in "a plate of food"', () => {
      assert.deepEqual(triplets('A plate of food on a table'), ['plate | of | food', 'plate | on | table']);
    });

    it('are never the top, the front or a photo of something', () => {
      assert.deepEqual(spans('A close up photo of the top of a building'), ['building']);
      assert.deepEqual(spans('A cake with a candle on top'), ['cake', 'candle']);
    });

    it('have numbers as quantities', () => {
      assert.deepEqual(quantities('3 cats and several birds'), ['3 cats: 3', 'several birds: several']);
    });
  });

  describe('predicates', () => {
    it('may be prepositions', () => {
      assert.deepEqual(triplets('A bird near a tree.'), ['bird | near | tree']);
      assert.deepEqual(triplets('There is a cat under the bed.'), ['cat | under | bed']);
    });

    it('may be compound prepositions, without articles', () => {
      assert.deepEqual(triplets('the chair is in front of the desk'), ['chair | in front of | desk']);
      assert.deepEqual(triplets('A dog next to a cat'), ['dog | next to | cat']);
      assert.deepEqual(triplets('A truck close to the house'), ['truck | close to | house']);
      assert.deepEqual(triplets('A clock on the left side of a building'), ['clock | on left side of | building']);
      assert.deepEqual(triplets('A cat sitting on the top of a car'), ['cat | sitting on top of | car']);
    });

    it('may be verbs as written, without auxiliaries and adverbs', () => {
      assert.deepEqual(triplets('A man riding a horse'), ['man | riding | horse']);
      assert.deepEqual(triplets('A man is quietly sitting on a bench'), ['man | sitting on | bench']);
      assert.deepEqual(triplets('The woman sits on a bench'), ['woman | sits on | bench']);
      assert.deepEqual(triplets('A boy looking up at a kite'), ['boy | looking up at | kite']);
    });

    it('have the lemma of their verb', () => {
      assert.deepEqual(lemmas('A man is sitting on a bench and rides a horse'), ['sit on', 'ride']);
      assert.deepEqual(lemmas("The dog's ball is in a box"), ["'s", 'in']);
    });

    it('include infinitives, but not of what is only intended', () => {
      assert.deepEqual(triplets('A man is about to hit a ball'), []);
      assert.deepEqual(triplets('A dog bending to reach a ball'), ['dog | bending to reach | ball']);
      assert.deepEqual(triplets('A kite attached to string'), ['kite | attached to | string']);
    });

    it('keep passives', () => {
      assert.deepEqual(triplets('A table covered with plates'), ['table | covered with | plates']);
      assert.deepEqual(triplets('The bear is surrounded by grass'), ['bear | surrounded by | grass']);
      assert.deepEqual(triplets('A plow being pulled by two horses'), ['plow | pulled by | two horses']);
    });

    it("are `'s` for owners, and `with` and `of` as written", () => {
      assert.deepEqual(triplets("A man's hat is on a woman with the keys of a car"), [
        "man | 's | hat",
        'hat | on | woman',
        'woman | with | keys',
        'keys | of | car',
      ]);
      assert.deepEqual(triplets("the man's dog's ball"), ["man | 's | dog", "dog | 's | ball"]);
      assert.deepEqual(triplets('a player \'s bat is near the boys\' "stop" sign'), [
        "player | 's | bat",
        `boys | 's | stop" sign`,
        'bat | near | stop" sign',
      ]);
    });
  });

  describe('finite verbs that look like nouns', () => {
    it('are verbs after their subject', () => {
      assert.deepEqual(triplets('A lone horse grazes in a field'), ['lone horse | grazes in | field']);
      assert.deepEqual(triplets('A bus stops at a corner'), ['bus | stops at | corner']);
      assert.deepEqual(triplets('People drinking wine at a party')[0], 'People | drinking | wine');
    });

    it('are nouns when no word can be their subject', () => {
      assert.deepEqual(spans('A bathroom mirror by a dirt covered sink'), ['bathroom mirror', 'dirt covered sink']);
      assert.deepEqual(spans('A kitchen with an oven, sink, and window'), ['kitchen', 'oven', 'sink', 'window']);
      assert.deepEqual(spans('A restroom with sinks and mirrors'), ['restroom', 'sinks', 'mirrors']);
    });
  });

  describe('coordination', () => {
    it('relates every subject', () => {
      assert.deepEqual(triplets('a man and a woman sitting on a bench'), [
        'man | sitting on | bench',
        'woman | sitting on | bench',
      ]);
    });

    it('relates every object', () => {
      assert.deepEqual(triplets('man holding a bat and a ball'), ['man | holding | bat', 'man | holding | ball']);
      assert.deepEqual(triplets('A kitchen with a stove, a sink and a window'), [
        'kitchen | with | stove',
        'kitchen | with | sink',
        'kitchen | with | window',
      ]);
    });

    it('keeps the subject for a second verb', () => {
      assert.deepEqual(triplets('A man sits on a bench and reads a book'), [
        'man | sits on | bench',
        'man | reads | book',
      ]);
    });

    it('starts a new clause with a new agent', () => {
      assert.deepEqual(triplets('A man holding a bat and a boy throwing a ball'), [
        'man | holding | bat',
        'boy | throwing | ball',
      ]);
      assert.deepEqual(triplets('A cat on a chair and a dog on a bed'), ['cat | on | chair', 'dog | on | bed']);
    });
  });

  describe('attachment', () => {
    it('attaches a gerund to the animate subject when the nearest noun cannot act', () => {
      assert.deepEqual(triplets('A man in a hat riding a horse'), ['man | in | hat', 'man | riding | horse']);
      assert.deepEqual(triplets('A group of people in a field flying kites'), [
        'people | in | field',
        'people | flying | kites',
      ]);
    });

    it('attaches a gerund to the nearest noun that can act', () => {
      assert.deepEqual(triplets('A woman with a dog sitting on a couch'), [
        'woman | with | dog',
        'dog | sitting on | couch',
      ]);
      assert.deepEqual(triplets('A man near a train pulling into a station')[1], 'train | pulling into | station');
    });

    it('attaches a preposition to the nearest noun', () => {
      assert.deepEqual(triplets('A bathroom with a toilet next to a sink'), [
        'bathroom | with | toilet',
        'toilet | next to | sink',
      ]);
      assert.deepEqual(triplets('A boy looking at a cake on a table')[1], 'cake | on | table');
      assert.deepEqual(triplets('A woman takes a picture of a beer on a table').at(-1), 'beer | on | table');
    });

    it('attaches a preposition to the agent when its object is only held or done', () => {
      assert.deepEqual(triplets('A man riding a wave on a surfboard')[1], 'man | on | surfboard');
      assert.deepEqual(triplets('A boy doing a trick on a ramp')[1], 'boy | on | ramp');
      assert.deepEqual(triplets('People playing frisbee in a park')[1], 'People | in | park');
      assert.deepEqual(triplets('A woman cutting a cake with a knife')[1], 'woman | cutting with | knife');
    });

    it('attaches "next to" to an object, not to the location of the object', () => {
      assert.deepEqual(triplets('A lamp on a desk next to a bed'), ['lamp | on | desk', 'lamp | next to | bed']);
    });
  });

  describe('clauses', () => {
    it('reads relative clauses', () => {
      assert.deepEqual(triplets('A man who is riding a horse is wearing a hat'), [
        'man | riding | horse',
        'man | wearing | hat',
      ]);
      assert.deepEqual(triplets('A cake that is on a table'), ['cake | on | table']);
    });

    it('keeps the subject after while unless there is a new one', () => {
      assert.deepEqual(triplets('A man sits on a bench while holding a cup'), [
        'man | sits on | bench',
        'man | holding | cup',
      ]);
      assert.deepEqual(triplets('A man sits on a bench as a dog chases a ball'), [
        'man | sits on | bench',
        'dog | chases | ball',
      ]);
    });

    it('relates a fronted phrase to the subject after it', () => {
      assert.deepEqual(triplets('In the kitchen, a man is cutting bread'), [
        'man | in | kitchen',
        'man | cutting | bread',
      ]);
      assert.deepEqual(triplets('On top of the table is a vase'), ['vase | on top of | table']);
    });

    it('reads every sentence', () => {
      assert.deepEqual(triplets('A dog is on a couch. A cat is on a chair!'), ['dog | on | couch', 'cat | on | chair']);
    });

    it('reads predicative adjectives as attributes', () => {
      assert.deepEqual(attributes('The flag is red, white and blue.'), ['flag red white blue']);
      assert.deepEqual(attributes('The buses are large'), ['buses large']);
    });
  });

  describe('pronouns', () => {
    it('refer to the phrase that they mean', () => {
      assert.deepEqual(triplets('A table with a laptop on it'), ['table | with | laptop', 'laptop | on | table']);
      assert.deepEqual(triplets('A table with a plate of food on it')[2], 'plate | on | table');
      assert.deepEqual(triplets('Sheep in a field with trees behind them')[2], 'trees | behind | Sheep');
      assert.deepEqual(triplets('A woman is near a bus. She is holding a bag.')[1], 'woman | holding | bag');
    });

    it('refer to no phrase when the reference is unclear', () => {
      assert.deepEqual(triplets('A bear is looking at something in the sky'), []);
      assert.deepEqual(triplets('It is on the table'), []);
    });

    it('replace negated phrases and predicates, so that they have no relations', () => {
      assert.deepEqual(triplets('A room with no people'), []);
      assert.deepEqual(spans('A room with no people'), ['room']);
      assert.deepEqual(triplets("A dog is not on a couch and a cat isn't watching a bird"), []);
    });

    it('relate phrases to themselves and to each other', () => {
      assert.deepEqual(triplets('Two zebras standing next to each other'), [
        'Two zebras | standing next to | Two zebras',
      ]);
      assert.deepEqual(triplets('A man and a woman facing each other'), [
        'man | facing | woman',
        'woman | facing | man',
      ]);
    });
  });

  describe('any text', () => {
    it('yields an empty graph when there are no phrases', () => {
      for (const caption of ['', ' \n\t', '...', '🐶🐶', '一个男人骑马', '\u0000\u0007', 'of the and'])
        assert.deepEqual(parse(caption), { entities: [], relations: [] });
    });

    it('has correct UTF-16 offsets after emoji and composed letters', () => {
      const caption = '🐶 A cafe\u0301 near İstanbul’s 🚲 bike';
      assert.deepEqual(spans(caption), ['cafe\u0301', 'İstanbul', 'bike']);
      assertSound(caption);
    });

    it('is read up to the length limit, without a word that crosses it', () => {
      const caption = `A dog ${'and '.repeat(maxCaptionLength / 4 - 3)} catnip, a bird`;
      assert.equal(caption.indexOf('catnip') < maxCaptionLength, true);
      assert.deepEqual(spans(caption), ['dog']);
      assertSound('a man with a dog, '.repeat(6000));
    });

    it('may contain names of JavaScript properties', () => {
      for (const caption of [
        'a constructor near the __proto__',
        'hasOwnProperty of toString valueOf',
        'A boy rides a pony. The constructor stands near a wall.',
      ])
        assertSound(caption);
    });

    it('yields a valid graph for random text, and the same graph twice', () => {
      const words =
        `a the two of of on in with and , . to it them each other that who is being man dog's boys' riding sits
        holding red table about close up top 🐶 \u0000 é ' - don't cannot while as group very 12:30`.split(/\s+/);
      const random = generator(7);
      for (let round = 0; round < 600; round++) {
        const length = 1 + (random() % 30);
        const pick = () =>
          round % 2 ? `${words[random() % words.length]} ` : String.fromCharCode(random() % (round % 4 ? 65536 : 128));
        const caption = Array.from({ length }, pick).join('');
        assertSound(caption);
        assert.deepEqual(parse(caption), parse(caption));
      }
    });
  });
});

/** A small linear congruential generator: the same numbers everywhere. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return state >>> 8;
  };
}
