import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { judgedCaptions } from '../../../src/evaluation/parser/judged-captions.js';
import { neuralParser } from '../../../src/parser/neural/neural-parser.js';
import type { TextGraph } from '../../../src/records/text-graph.js';

const read = (minConfidence: number, caption: string) => neuralParser({ minConfidence }).parse(caption) as TextGraph;
const confidences = (caption: string): Record<string, number> => {
  const { entities, relations } = read(0, caption);
  return Object.fromEntries(
    relations.map(({ subject, predicate, object, confidence }) => [
      `${entities[subject]!.span} ${predicate} ${entities[object]!.span}`,
      confidence!,
    ]),
  );
};

describe('confidence of relations', () => {
  it('a higher minConfidence returns some of the relations of a lower one', async () => {
    const file = new URL('../../../parser-training/judged-captions.csv', import.meta.url).pathname;
    const captions = (await judgedCaptions(file, () => assert.fail())).map(({ caption }) => caption);
    const parsers = [0, 0.5, 0.7, 0.95].map((minConfidence) => neuralParser({ minConfidence }));
    let dropped = 0;
    for (const caption of captions) {
      let before: Set<string> | undefined;
      for (const parser of parsers) {
        const { entities, relations } = parser.parse(caption) as TextGraph;
        const place = (index: number) => `${entities[index]!.start}–${entities[index]!.end}`;
        const found = new Set(
          relations.map((one) => `${place(one.subject)} ${one.predicate} ${place(one.object)} ${one.confidence}`),
        );
        for (const relation of found) assert.ok(before?.has(relation) ?? true, `${caption}: ${relation}`);
        dropped += (before?.size ?? found.size) - found.size;
        before = found;
      }
    }
    assert.ok(dropped > 100);
  });

  it('is higher if network and rules agree', () => {
    const found = confidences('A waiter in a white apron is carrying a tray of glasses past a table next to a window.');
    assert.ok(found['waiter in apron']! > 0.95);
    assert.ok(found['waiter carrying tray']! > 0.6);
    assert.ok(found['waiter carrying tray']! < found['waiter in apron']!);
  });

  it('is not lowered by a reading of the network that does not contradict the rules', () => {
    const kept = (caption: string) => read(0.55, caption).relations.map(({ predicate }) => predicate);
    assert.ok(kept('A man is holding up his smart phone to show it.').includes('holding up'));
    assert.deepEqual(kept('a girl looks at a big hill that has a small hut on it'), ['looks at', 'has', 'on']);
  });

  it('is of what somebody does a trick on, not of a trick as a verb', () => {
    for (const caption of ['a nurse doing a trick on a scooter', 'A clown is performing tricks on a ramp.'])
      assert.deepEqual(
        read(0.55, caption).relations.map(({ predicate }) => predicate),
        ['on'],
      );
  });

  it('leaves out a phrase that only the rules see, with its relations', () => {
    const caption = 'A wooden ship model sits inside a glass bottle, which rests on a stand made of brass.';
    const spans = (minConfidence: number) => read(minConfidence, caption).entities.map(({ span }) => span);
    const { entities, relations } = read(0, caption);
    const sits = relations.find(({ subject }) => entities[subject]!.span === 'wooden ship model')!;
    const above = sits.confidence! + 0.01;
    assert.ok(spans(0).includes('wooden ship model'));
    assert.ok(!spans(above).includes('wooden ship model'));
    const kept = read(above, caption).relations.map(({ predicate }) => predicate);
    assert.ok(kept.includes('rests on') && !kept.includes('sits inside'));
  });

  it('has a weight for each part of the evidence', () => {
    const file = new URL('../../../src/parser/neural/confidence.json', import.meta.url);
    const { weights } = JSON.parse(readFileSync(file, 'utf8')) as { weights: Record<string, number> };
    assert.ok(weights.agree! > weights.differ!);
    assert.ok(weights.agree! > weights['network alone']!);
    assert.ok(weights['rules alone, contested']! < 0);
  });
});
