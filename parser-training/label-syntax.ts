import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CacheFile, fingerprint } from './cache-file.js';

/** What the teacher says of a word. */
export interface WordSyntax {
  /** Universal word class: `NOUN`, `AUX`. */
  readonly pos: string;
  /** Tag of the Penn Treebank: `NNS`, `VBG`. */
  readonly tag: string;
  /** Index of its head in the sentence; a root has its own. */
  readonly head: number;
  /** Kind of its dependency on the head: `nsubj`, `prep`. */
  readonly dependency: string;
}

/** How sentences are labeled. */
export interface LabelingOptions {
  /** The Python that has spaCy and its model, see label-syntax.py. */
  readonly python: string;
  /** Folder where labels are kept for another run. */
  readonly keep?: string | undefined;
}

/**
 * Labels sentences with word classes and dependencies by spaCy; takes a minute for 40,000 sentences.
 * @param sentences words without blanks
 * @returns for each sentence, what is said of each word
 * @throws Error if Python fails or its output does not fit the sentences
 */
export function labelSyntax(
  sentences: readonly (readonly string[])[],
  { python, keep }: LabelingOptions,
): WordSyntax[][] {
  const cache = keep
    ? new CacheFile<string>(
        join(keep, `${fingerprint(['syntax', readFileSync(script, 'utf8')], [], sentences)}.syntax`),
      )
    : undefined;
  let output = cache?.read();
  if (output === undefined) {
    output = runTeacher(python, sentences);
    cache?.write(output);
  }
  return readLabels(output, sentences);
}

const script = fileURLToPath(new URL('label-syntax.py', import.meta.url));
/** The labels of 500,000 sentences. */
const maxBuffer = 2 ** 30;

function runTeacher(python: string, sentences: readonly (readonly string[])[]): string {
  const input = sentences.map((words) => `${words.join(' ')}\n`).join('');
  const { status, stdout, error } = spawnSync(python, [script], {
    input,
    maxBuffer,
    encoding: 'utf8',
    env: { ...process.env, PYTHONIOENCODING: 'utf-8' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  if (error) throw new Error(`${python}: ${error.message}`);
  if (status !== 0) throw new Error(`${python} ${script}: ended with ${status}, expected 0; see its message above`);
  return stdout;
}

/**
 * Reads the output of label-syntax.py.
 * @throws Error if the number of lines or words differs from that of the sentences, or a label is in another form
 */
export function readLabels(output: string, sentences: readonly (readonly string[])[]): WordSyntax[][] {
  const lines = output.trimEnd().split('\n');
  if (lines.length !== sentences.length)
    throw new Error(`label-syntax.py: ${lines.length} lines of labels, expected ${sentences.length}, one per sentence`);
  return lines.map((line, k) => {
    const labels = line.split(' ');
    const words = sentences[k]!;
    if (labels.length !== words.length)
      throw new Error(`label-syntax.py: ${labels.length} labels for '${words.join(' ')}', expected ${words.length}`);
    return labels.map((label) => {
      const [pos, tag, head, dependency] = label.split('/') as [string, string?, string?, string?];
      const at = Number(head);
      if (dependency === undefined || !Number.isInteger(at) || at < 0 || at >= words.length)
        throw new Error(
          `label-syntax.py: label '${label}', expected POS/TAG/HEAD/DEP with a head below ${words.length}`,
        );
      return { pos, tag: tag!, head: at, dependency };
    });
  });
}
