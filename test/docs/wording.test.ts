import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import glob from 'fast-glob';
import { packageRoot } from '../../src/package-info.js';

/** Wordings that read as riddles, each with what to write instead. */
const WORDINGS: readonly (readonly [pattern: RegExp, instead: string])[] = [
  [/\btold\b/i, 'receives, is called with'],
  [/\bbehind\b(?! an? (?:endpoint|network))/i, 'after'],
  [/\bso many\b/i, 'the number of'],
  [/\bnobody\b/i, 'say what does not happen'],
  [/\b(?:is|are) asked\b/i, 'say who calls what'],
  [/\bwhoever\b/i, 'the caller, the user'],
  [/\bof no use\b/i, 'has no effect, is unusable'],
  [/\bwhat (?:became|becomes|came|comes) of\b/i, 'the result of'],
  [/(?<!there )\b(?:is|are) no (?!longer\b|more\b|less\b)[a-z]+/i, 'is not a'],
  [/\bcan not\b|\bcan[’']t\b/i, 'cannot'],
  [/\bbeside\b/i, 'besides, next to'],
];

/** Files that use one of the wordings as data or in its plain sense. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  'bench/candidates.ts': ['behind'],
  'bench/circle.ts': ['beside'],
  'bench/circle/graphs.ts': ['beside'],
  'bench/generate-objects365.ts': ['behind'],
  'bench/parser.ts': ['behind'],
  'docs/relations.md': ['behind'],
  'fixtures/README.md': ['behind', 'told'],
  'scripts/scenes/placements.ts': ['behind'],
  'scripts/scenes/predicates.ts': ['behind', 'beside'],
  'src/operators/box-gates.ts': ['behind'],
  'src/taggers/vlm/proposal-question.ts': ['behind'],
  'test/support/scripted-vlm.ts': ['behind'],
  'src/endpoints/chat-reply.ts': ['can not'],
  'src/model/tagger/embedded/model-card.md': ['behind'],
  'src/parser/language/closed-classes.ts': ['told'],
  'src/parser/language/prepositions.ts': ['behind', 'beside'],
  'src/parser/neural/evidence-features.ts': ['behind', 'beside'],
  'src/parser/rules/attachment.ts': ['behind', 'beside'],
  'src/parser/rules/read-pronoun.ts': ['beside'],
  'src/sources/coco-shared-ids.ts': ['told'],
  'src/operators/box-rules.ts': ['behind'],
  'src/operators/geometry.ts': ['behind'],
  'src/taggers/box-fits.ts': ['behind'],
  'src/vocabulary/predicate-kind.ts': ['behind', 'beside'],
  'test/cli/sample.test.ts': ['behind'],
  'test/captioners/hf-chat.test.ts': ["can't"],
  'test/operators/geometry.test.ts': ['behind'],
  'test/operators/match.test.ts': ['behind'],
  'test/operators/pair.test.ts': ['behind'],
  'test/operators/parse.test.ts': ['behind'],
  'test/parser/neural/hypotheses.test.ts': ['behind'],
  'test/parser/rules/rule-parser.test.ts': ['behind'],
  'test/parser/rules/sentences.test.ts': ['behind', 'beside'],
  'test/scripts/scenes.test.ts': ['behind'],
  'test/support/model-server.ts': ["can't"],
  'test/taggers/baseline-tagger.test.ts': ['behind'],
  'test/training/data/label-set.test.ts': ['behind'],
  'test/training/data/training-sample.test.ts': ['behind'],
};

describe('the wording of comments, messages and docs', () => {
  const files = glob.sync(
    [
      '{src,pipelines,scripts,parser-training,bench,test}/**/*.{ts,mjs,md}',
      '{docs,fixtures}/*.md',
      'schemas/*.json',
      '*.md',
      '!test/docs/wording.test.ts',
    ],
    { cwd: packageRoot },
  );

  it('avoids what a reader has to decipher', () => {
    assert.ok(files.length > 500);
    const found: string[] = [];
    for (const file of files.sort()) {
      const allowed = ALLOWED[file] ?? [];
      for (const [index, line] of readFileSync(join(packageRoot, file), 'utf8').split('\n').entries()) {
        for (const [pattern, instead] of WORDINGS) {
          const match = pattern.exec(line)?.[0];
          if (match === undefined || allowed.includes(match.toLowerCase())) continue;
          found.push(`${file}:${index + 1}: '${match}' (write: ${instead}): ${line.trim()}`);
        }
      }
    }
    assert.deepEqual(found, []);
  });

  it('has no allowance that is not needed', () => {
    for (const [file, words] of Object.entries(ALLOWED)) {
      const text = readFileSync(join(packageRoot, file), 'utf8').toLowerCase();
      for (const word of words) assert.ok(text.includes(word), `${file} no longer says '${word}'`);
    }
  });
});
