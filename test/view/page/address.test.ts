import assert from 'node:assert/strict';
import { type Address, addressOf, linkOf, START } from '../../../src/view/page/address.js';

const read = (link: string): Address => addressOf(link.slice(1));

describe('address of the page', () => {
  it('is / for the start, and anything unknown in a link has its default', () => {
    assert.equal(linkOf(START), '/');
    assert.deepEqual(read('/'), START);
    assert.deepEqual(read('/?view=nothing&sort=none&image=-1&minConfidence=many&seed=1.5'), START);
    assert.equal(read('/?view=image').view, 'images');
  });

  it('holds every view whole', () => {
    const filter = {
      where: 'confidence >= 0.5 and predicate != "on & off"',
      predicate: ['next to', 'on', '100 %'],
      object: [''],
      source: ['caption'],
      review: ['rejected'],
      minConfidence: 0.25,
      maxRelations: 0,
      words: 'a man’s 帽子 + hat',
    } as const;
    const addresses: Address[] = [
      { ...START, filter, sort: 'relations-most' },
      { ...START, filter, view: 'image', image: 0, relation: 12 },
      { ...START, filter, view: 'charts' },
      { ...START, filter, view: 'review', queue: { order: 'random', seed: 0, images: 7, at: 3 } },
      { ...START, view: 'review', queue: { ...START.queue, at: 0 } },
      { ...START, view: 'compare', image: 5 },
    ];
    for (const address of addresses) assert.deepEqual(read(linkOf(address)), address);
  });
});
