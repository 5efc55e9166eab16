import assert from 'node:assert/strict';
import { alignCaption } from '../../parser-training/align-caption.js';
import { alignAll, learnNormalForms } from '../../parser-training/learn-normal-forms.js';
import { labelRelation } from '../../parser-training/training-example.js';
import { parseFactual } from '../../src/records/factual-graph.js';

const aligned = (caption: string, gold: string) => {
  const tokens = caption.split(' ');
  const { mentions, attributes, relations, missing } = alignCaption(tokens, parseFactual(gold));
  const text = ({ start, end }: { start: number; end: number }) => tokens.slice(start, end).join(' ');
  return {
    mentions: mentions.map(text),
    attributes: attributes.map((attribute) => `${text(attribute)} of ${attribute.mentions.join(' ')}`),
    relations: relations.map((relation) => {
      const { label, verb, preposition } = labelRelation({ tokens, mentions, attributes, relations }, relation);
      return [label, tokens[verb] ?? '', tokens[preposition] ?? ''].join('|');
    }),
    missing: Object.values(missing).flat().length,
  };
};

describe('alignCaption', () => {
  it('finds phrases, attributes and the words of each relation', () => {
    assert.deepEqual(
      aligned(
        'a man is sitting on the side of a brown horse',
        '( man , sit on side of , horse ) , ( horse , is , brown )',
      ),
      { mentions: ['man', 'horse'], attributes: ['brown of 1'], relations: ['>V P|sitting|on'], missing: 0 },
    );
  });

  it('replaces only verbs and prepositions of the caption by placeholders', () => {
    assert.deepEqual(aligned('a man in a hat', '( man , wear , hat )').relations, ['>wear||']);
    assert.deepEqual(aligned('the man ’s hat', '( man , have , hat )').relations, ['>have||']);
    assert.deepEqual(aligned('a field covered by snow', '( snow , cover , field )').relations, ['<V|covered|']);
    assert.deepEqual(aligned('stairs leading up to a door', '( stairs , lead up to , door )').relations, [
      '>V P|leading|up',
    ]);
    assert.deepEqual(aligned('stairs leading up to a door', '( stairs , lead to , door )').relations, [
      '>V P|leading|to',
    ]);
  });

  it('matches plurals, numbers, joined words and misspellings', () => {
    assert.deepEqual(aligned('two cell phones on a tabel', '( cellphones , on , table ) , ( cellphones , is , 2 )'), {
      mentions: ['cell phones', 'tabel'],
      attributes: ['two of 0'],
      relations: ['>P||on'],
      missing: 0,
    });
  });

  it('aligns “each other” with the subject', () => {
    const { mentions, relations } = aligned('dogs facing each other', '( dogs , face , dogs )');
    assert.deepEqual([mentions, relations], [['dogs', 'each other'], ['>V|facing|']]);
  });

  it('returns the parts of a graph without words', () => {
    assert.equal(aligned('a man taking a picture', '( man , hold , camera ) , ( man , is , happy )').missing, 3);
  });

  it('learns synonyms of names and their forms in graphs', () => {
    const captions = [
      ['a guy on a horse', '( person , on , horse )'],
      ['the guy with a dog', '( person , with , dog )'],
      ['a guy near a horse', '( person , near , horse )'],
      ['a man near a horse', '( man , near , horse )'],
    ].map(([caption, gold]) => ({ tokens: caption!.split(' '), gold: parseFactual(gold!) }));
    const alignments = alignAll(captions);
    assert.ok(alignments.every(({ missing }) => missing.entities.length === 0));
    const forms = learnNormalForms(alignments);
    assert.deepEqual([forms.entity('guy'), forms.entity('man')], ['person', 'man']);
  });
});
