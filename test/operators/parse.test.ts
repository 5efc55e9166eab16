import assert from 'node:assert/strict';
import { firstValueFrom, of } from 'rxjs';
import { type ImageRecord, neuralParser, parse, ruleParser, type TextParser } from '../../src/index.js';
import { captionedRecord } from '../support/records.js';

describe('parse', () => {
  const spans = async (parser: TextParser, text: string, categories?: readonly string[]) => {
    const record = { ...captionedRecord([], text), ...(categories && { categories }) } as ImageRecord &
      ReturnType<typeof captionedRecord>;
    const { phrases } = await firstValueFrom(of(record).pipe(parse(parser)));
    return phrases[0]!.entities;
  };

  for (const parser of [neuralParser(), ruleParser()])
    it(`keeps the names of the data set's categories together: ${parser.name}`, async () => {
      const categories = ['forklift', 'Pallet_Jack', 'hi-vis vest'];
      const text = 'two fork lifts behind a pallet jack and a hi vis vest';
      const entities = await spans(parser, text, categories);
      for (const name of ['fork lifts', 'pallet jack', 'vest'])
        assert.ok(
          entities.some(({ span, end }) => span.endsWith(name) && end === text.indexOf(name) + name.length),
          `${name} in ${JSON.stringify(entities.map(({ span }) => span))}`,
        );
      for (const { span, start, end, head } of entities) {
        assert.equal(span, text.slice(start, end));
        assert.ok(span.toLowerCase().endsWith(head));
      }
    });

  it('reads a caption without such names as before', async () => {
    const text = 'a man with a surfboard behind a hot dog';
    const parser = neuralParser();
    assert.deepEqual(await spans(parser, text, ['forklift', 'surfboard']), await spans(parser, text));
  });
});
