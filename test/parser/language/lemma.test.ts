import assert from 'node:assert/strict';
import { isAdjective, isCompound, isNoun, isVerb, nounLemma, verbLemma } from '../../../src/parser/language/lemma.js';

/** Splits `form lemma` pairs separated by commas. */
const pairs = (text: string) => text.split(/,\s*/).map((pair) => pair.split(' ') as [string, string]);

describe('nounLemma', () => {
  it('returns the singular of regular plurals', () => {
    const plurals = `skis ski, buses bus, glasses glass, knives knife, wetsuits wetsuit, potatoes potato, cookies cookie,
      berries berry, boxes box, shoes shoe, taxis taxi, shelves shelf, firemen fireman, fries fry, skies sky, dishes dish`;
    for (const [form, lemma] of pairs(plurals)) assert.equal(nounLemma(form), lemma);
  });

  it('returns the singular of irregular plurals', () => {
    const plurals =
      'men man, women woman, children child, people person, teeth tooth, geese goose, mice mouse, leaves leaf';
    for (const [form, lemma] of pairs(plurals)) assert.equal(nounLemma(form), lemma);
  });

  it('keeps singulars and nouns that only have a plural', () => {
    for (const word of 'bus grass sheep glass tennis gas dress scissors jeans sunglasses ramen woods bass'.split(' '))
      assert.equal(nounLemma(word), word);
  });

  it('applies spelling rules to unknown words', () => {
    const unknown =
      'longboards longboard, zorbies zorby, snarfboxes snarfbox, bookshelves bookshelf, stepchildren stepchild';
    for (const [form, lemma] of pairs(unknown)) assert.equal(nounLemma(form), lemma);
  });

  it('returns lower case and changes only the last part of a hyphenated word', () => {
    assert.equal(nounLemma('Dogs'), 'dog');
    assert.equal(nounLemma('t-shirts'), 't-shirt');
    assert.equal(nounLemma('wine-glasses'), 'wine-glass');
  });
});

describe('verbLemma', () => {
  it('returns the infinitive of every form', () => {
    const forms = `riding ride, rides ride, rode ride, lying lie, lies lie, sat sit, sitting sit, held hold, wearing wear,
      stopped stop, carries carry, tried try, flies fly, is be, has have, hung hang, starring star, staring stare`;
    for (const [form, lemma] of pairs(forms)) assert.equal(verbLemma(form), lemma);
  });

  it('prefers the verb that captions mean', () => {
    for (const [form, lemma] of pairs(
      'saw see, left leave, found find, singing sing, swinging swing, putting put, fed feed',
    ))
      assert.equal(verbLemma(form), lemma);
  });

  it('keeps infinitives', () => {
    for (const word of ['ride', 'lay', 'string', 'feed', 'ski', 'pass', 'dress']) assert.equal(verbLemma(word), word);
  });

  it('applies spelling rules to unknown words', () => {
    for (const [form, lemma] of pairs('zorbing zorb, photobombed photobomb, rollerblading rollerblade'))
      assert.equal(verbLemma(form), lemma);
  });
});

describe('word lists', () => {
  it('contain nouns, verbs and adjectives', () => {
    assert.ok(isNoun('frisbee') && isNoun('t-shirt') && !isNoun('at') && !isNoun('london'));
    assert.ok(isVerb('ride') && isVerb('be') && !isVerb('riding') && !isVerb('up'));
    assert.ok(isAdjective('red') && isAdjective('larger') && isAdjective('biggest') && !isAdjective('tower'));
  });

  it('contain compounds, which are found in singular and plural', () => {
    assert.ok(isCompound('hot', 'dog') && isCompound('fire', 'hydrants') && !isCompound('big', 'dog'));
  });
});
