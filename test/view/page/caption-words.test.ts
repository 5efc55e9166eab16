import assert from 'node:assert/strict';
import { litWords } from '../../../src/view/page/image/caption-words.js';

/** Returns the lit words with their surroundings: the text, its lit words in brackets. */
function lit(text: string, subject: string, predicate: string, object: string): string {
  const words = litWords({ text, index: 0 }, { captions: [0], predicate }, { subject, object });
  return [...words].reverse().reduce((marked, { start, end }) => {
    return `${marked.slice(0, start)}[${marked.slice(start, end)}]${marked.slice(end)}`;
  }, text);
}

describe('litWords', () => {
  it('lights a predicate only as a word of its own', () => {
    assert.equal(
      lit('A large gathering of people at a table', 'person', 'at', 'dining table'),
      'A large gathering of people [at] a [table]',
    );
    assert.equal(lit('A bonnet (on) a hat.', 'bonnet', 'on', 'hat'), 'A [bonnet] ([on]) a [hat].');
    assert.equal(lit('Onions for a person', 'person', 'on', ''), 'Onions for a [person]');
  });

  it('prefers a category as a word to one in another word', () => {
    assert.equal(
      lit('A baseball player in position to pitch a ball.', 'person', 'pitch', 'sports ball'),
      'A baseball player in position to [pitch] a [ball].',
    );
    assert.equal(
      lit('tables sitting next to umbrellas', 'table', 'next to', 'umbrella'),
      '[table]s sitting [next to] [umbrella]s',
    );
    assert.equal(lit('a boy with a hotdog', 'person', 'with', 'hot dog'), 'a boy [with] a hot[dog]');
  });

  it('takes characters of names as they are', () => {
    assert.equal(lit('a (b) on c++', '(b)', 'on', 'c++'), 'a [(b)] [on] [c++]');
    assert.equal(lit('the café at night', 'café', 'at', 'n.ght'), 'the [café] [at] night');
  });
});
