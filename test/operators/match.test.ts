import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { firstValueFrom, of } from 'rxjs';
import { match, parse } from '../../src/index.js';
import { temporaryFolder } from '../support/folders.js';
import { captionedRecord } from '../support/records.js';

/** Categories that the phrases of a caption name, in an image that has these. */
async function named(caption: string, present: readonly string[]): Promise<(string | null)[]> {
  const boxes = present.map((name, index): readonly [string, number, number, number, number] => [name, index, 0, 9, 9]);
  const { mentions } = await firstValueFrom(of(captionedRecord(boxes, caption)).pipe(parse(), match()));
  return mentions.map(({ category }) => category);
}

describe('match', () => {
  it('goes by whole words and by the head of the phrase', async () => {
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

  it('tells two vocabularies of one name apart, so that a run is not resumed with another', () => {
    const [a, b] = [{ person: ['man'] }, { person: ['woman'] }].map((content) => {
      const file = join(temporaryFolder(), 'vocabulary.json');
      writeFileSync(file, JSON.stringify(content));
      return match({ vocabulary: file }).spec.options;
    });
    assert.notDeepEqual(a, b);
  });

  it('gives no category that the image does not have', async () => {
    assert.deepEqual(await named('a dog on a couch', ['dog']), ['dog', null]);
  });
});
