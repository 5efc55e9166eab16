import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { firstValueFrom, of } from 'rxjs';
import { match, parse } from '../../src/index.js';
import { temporaryFolder } from '../support/folders.js';
import { captionedRecord } from '../support/records.js';

/** Returns the categories that the phrases of a caption name in an image with the given categories. */
async function named(caption: string, present: readonly string[]): Promise<(string | null)[]> {
  const boxes = present.map((name, index): readonly [string, number, number, number, number] => [name, index, 0, 9, 9]);
  const { mentions } = await firstValueFrom(of(captionedRecord(boxes, caption)).pipe(parse(), match()));
  return mentions.map(({ category }) => category);
}

describe('match', () => {
  it('uses whole words and the head of the phrase', async () => {
    assert.deepEqual(await named('a carrot next to a tractor', ['car', 'person']), [null, null]);
    assert.deepEqual(await named('a woman on a motorcycle', ['person', 'bicycle', 'motorcycle']), [
      'person',
      'motorcycle',
    ]);
    assert.deepEqual(await named('a hot dog on a plate', ['dog']), [null, null]);
    assert.deepEqual(await named('a hot dog next to a dog', ['dog', 'hot dog']), ['hot dog', 'dog']);
    assert.deepEqual(await named('two men with teddy bears', ['person', 'bear', 'teddy bear']), [
      'person',
      'teddy bear',
    ]);
  });

  it('takes glasses to see with for no cup, and a hand for no person, unless the data set has such a category', async () => {
    const drinks = ['person', 'cup', 'wine glass'];
    assert.deepEqual(await named('A man wearing glasses.', drinks), ['person', null]);
    assert.deepEqual(await named('A woman with glasses holding a wine glass.', drinks), ['person', null, 'wine glass']);
    assert.deepEqual(await named('A man wearing a pair of glasses.', drinks), ['person', null]);
    assert.deepEqual(await named('A table with two glasses.', [...drinks, 'dining table']), [
      'dining table',
      'wine glass',
    ]);
    assert.deepEqual(await named('A woman with two glasses.', drinks), ['person', 'wine glass']);
    assert.deepEqual(await named('A man wearing glasses.', [...drinks, 'glasses']), ['person', 'glasses']);
    assert.deepEqual(await named('A hand holding a banana.', ['person', 'banana']), [null, 'banana']);
    assert.deepEqual(await named('A hand holding a banana.', ['hand', 'banana']), ['hand', 'banana']);
  });

  it('distinguishes vocabularies with the same name, so that a run is not resumed with another', () => {
    const [a, b] = [{ person: ['man'] }, { person: ['woman'] }].map((content) => {
      const file = join(temporaryFolder(), 'vocabulary.json');
      writeFileSync(file, JSON.stringify(content));
      return match({ vocabulary: file }).spec.options;
    });
    assert.notDeepEqual(a, b);
  });

  it('makes the words from the categories of the data set, as the record lists them', async () => {
    const record = {
      ...captionedRecord(
        [
          ['Forklift', 0, 0, 9, 9],
          ['pallet', 0, 0, 9, 9],
        ],
        'a fork lift next to a zebra and two pallets',
      ),
      categories: ['Forklift', 'pallet', 'Horse'],
    };
    const { mentions } = await firstValueFrom(of(record).pipe(parse(), match()));
    assert.deepEqual(
      mentions.map(({ category }) => category),
      ['Forklift', null, 'pallet'],
    );
    const { mentions: horses } = await firstValueFrom(
      of({ ...record, captions: [{ text: 'a zebra behind a horse', source: 'test' }] }).pipe(parse(), match()),
    );
    assert.deepEqual(
      horses.map(({ why }) => why),
      ['zebra: not detected in this image', 'Horse: not detected in this image'],
    );
  });

  it('records in its options which words are used', () => {
    const { options } = match().spec;
    assert.deepEqual(Object.keys(options!), ['vocabulary', 'builtIn', 'compat']);
    assert.equal(options!['vocabulary'], 'categories');
    assert.match(String(options!['builtIn']), /^[0-9a-f]{12}$/);
    assert.deepEqual(match({ vocabularyOnly: true, vocabulary: 'coco80' }).spec.options?.['vocabularyOnly'], true);
  });

  it('returns no category that the image lacks', async () => {
    assert.deepEqual(await named('a dog on a couch', ['dog']), ['dog', null]);
  });
});
