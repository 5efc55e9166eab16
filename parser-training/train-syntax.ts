import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { encodeTagger } from '../src/parser/tagging/tagger-model.js';
import type { WordSyntax } from './label-syntax.js';
import { taggerLabels } from './tagger-labels.js';
import { subjectAccuracy, subjectExamples, trainSubjects } from './train-subjects.js';
import { taggerAgreement, trainTagger } from './train-tagger.js';

const taggerFile = fileURLToPath(new URL('../src/parser/tagging/tagger.model', import.meta.url));
const subjectsFile = fileURLToPath(new URL('../src/parser/subjects/subjects.model', import.meta.url));
/** Every how many sentences one is held out for the measure of agreement with the teacher. */
const HELD_OUT = 20;

/** Trains the tagger, and with its word classes the scores of subjects, and writes both. @param syntax what the teacher says of the words */
export function trainSyntax(
  sentences: readonly (readonly string[])[],
  syntax: readonly WordSyntax[][],
  log: (text: string) => void,
): void {
  const isHeld = (_: unknown, k: number) => k % HELD_OUT === 0;
  const isLearned = (_: unknown, k: number) => k % HELD_OUT !== 0;
  const tags = taggerLabels(sentences, syntax);
  const tagged = sentences.map((words, k) => ({ words, tags: tags[k]! }));
  for (const [name, { words, right }] of taggerAgreement(trainTagger(tagged.filter(isLearned)), tagged.filter(isHeld)))
    log(`${name}: ${((100 * right) / words).toFixed(1)} % of ${words} words of other sentences as by the teacher`);
  writeFileSync(taggerFile, encodeTagger(trainTagger(tagged)));
  const examples = sentences.map((words, k) => subjectExamples(words, syntax[k]!));
  const held = examples.filter(isHeld).flat();
  const accuracy = subjectAccuracy(held, trainSubjects(examples.filter(isLearned).flat()));
  log(`${(100 * accuracy).toFixed(1)} % of ${held.length} objects of other sentences have the subject of the teacher`);
  writeFileSync(subjectsFile, trainSubjects(examples.flat()));
}
