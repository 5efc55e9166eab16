import assert from 'node:assert/strict';
import { fragmentsOf } from '../../parser-training/fragments.js';
import { prepareCaptions } from '../../parser-training/prepare-captions.js';
import { parseFactual } from '../../src/records/factual-graph.js';

describe('fragmentsOf', () => {
  const of = (caption: string, gold: string) => {
    assert.notDeepEqual(parseFactual(gold).relations, []);
    const { examples } = prepareCaptions([{ caption, gold }], { minLabelCount: 1 });
    assert.equal(examples.length, 1, 'the caption is aligned');
    return fragmentsOf(examples).map((words) => words.join(' '));
  };

  it('cuts from the attributes of one entity to another that is related to it', () => {
    assert.deepEqual(
      of(
        'a man riding a brown horse near two small trees',
        '( man , ride , horse ) , ( horse , near , trees ) , ( horse , is , brown ) , ( trees , is , 2 ) , ( trees , is , small )',
      ),
      ['a man riding a brown horse', 'a brown horse near two small trees'],
    );
  });

  it('excludes the whole caption', () => {
    assert.deepEqual(of('a man riding a horse', '( man , ride , horse )'), []);
  });
});
