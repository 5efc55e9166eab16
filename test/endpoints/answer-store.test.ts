import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { AnswerStore, type Question, questionKey } from '../../src/endpoints/index.js';
import { OutputError } from '../../src/index.js';
import { packageRoot } from '../../src/package-info.js';
import { temporaryFolder } from '../support/folders.js';

const question: Question = { protocol: 'hf-chat', model: 'm', prompt: 'p', parameters: { temperature: 0 } };
const key = (subject: string, seed = 0) => ({ question: questionKey(question), subject: subject.repeat(64), seed });
const reply = (text: string) => ({ text, at: '2026-01-01T00:00:00.000Z' });

/** Runs an ES module in another process, with `AnswerStore`, `question` and `key` in scope. */
function startScript(body: string) {
  const script = join(temporaryFolder(), 'script.mts');
  const module = pathToFileURL(join(packageRoot, 'src/endpoints/answer-store.ts')).href;
  const lines = [
    `import { AnswerStore } from ${JSON.stringify(module)};`,
    `const question = ${JSON.stringify(question)};`,
    `const key = ${JSON.stringify(key('a'))};`,
    body,
  ];
  writeFileSync(script, lines.join('\n'));
  return spawn(process.execPath, ['--import', 'tsx', script], {
    cwd: packageRoot,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

describe('AnswerStore', () => {
  it('returns stored answers, also after it is opened again, and keeps the first answer', async () => {
    const folder = temporaryFolder();
    const store = await AnswerStore.open(folder);
    assert.equal(store.find(key('a')), undefined);
    await store.add(question, key('a'), reply('one'));
    assert.deepEqual(await store.add(question, key('a'), reply('two')), reply('one'));
    await store.close();
    const again = await AnswerStore.open(folder);
    assert.deepEqual(again.find(key('a')), reply('one'));
    assert.equal(again.find(key('a', 1)), undefined);
    assert.deepEqual([...again.questions().values()], [question]);
    await again.close();
  });

  it('is shared by all users in a process, until the last one closes it', async () => {
    const folder = temporaryFolder();
    const [one, two] = await Promise.all([AnswerStore.open(folder), AnswerStore.open(`${folder}/.`)]);
    assert.equal(one, two);
    await one.close();
    await two.add(question, key('b'), reply('x'));
    const closed = two.close();
    const three = await AnswerStore.open(folder);
    assert.deepEqual(three.find(key('b')), reply('x'));
    await closed;
    await three.close();
  });

  it('keeps every acknowledged answer and accepts more after all writers are killed at once with kill -9', async () => {
    // With three writers, one nearly always dies during a flush while another waits for its turn.
    const folder = temporaryFolder();
    const store = await AnswerStore.open(folder);
    const acknowledged: { subject: string; seed: number }[] = [];
    const subjects = ['a', 'b', 'c'];
    const writers = subjects.map((subject) =>
      startScript(
        `const store = await AnswerStore.open(${JSON.stringify(folder)});
         for (let seed = 0; ; seed++) {
           await store.add(question, { ...key, subject: '${subject}'.repeat(64), seed }, { text: String(seed), at: '' });
           console.log(seed);
         }`,
      ),
    );
    const ended = writers.map(async (writer, i) => {
      for await (const line of createInterface(writer.stdout)) {
        acknowledged.push({ subject: subjects[i]!, seed: Number(line) });
        if (acknowledged.length >= 300) for (const each of writers) each.kill('SIGKILL');
      }
    });
    await Promise.all(ended);
    await store.add(question, key('d'), reply('after'));
    assert.equal(store.find(key('d'))?.text, 'after');
    for (const { subject, seed } of acknowledged) assert.equal(store.find(key(subject, seed))?.text, String(seed));
    await store.close();
  });

  it('reports a write that fails in one line, rejects those of the same transaction, and accepts later ones', async () => {
    const folder = temporaryFolder();
    const store = await AnswerStore.open(folder);
    await store.add(question, key('a'), reply('kept'));
    const { default: Database } = await import('libsql');
    const other = new Database(join(folder, 'answers.sqlite'));
    other.exec('ALTER TABLE answers RENAME TO away');
    const isReported = (error: unknown) =>
      error instanceof OutputError &&
      /^\S+: an answer cannot be stored: no such table: [^\n]*all answers stored so far are safe$/.test(error.message);
    await Promise.all(
      [1, 2].map((seed) => assert.rejects(store.add(question, key('a', seed), reply('x')), isReported)),
    );
    other.exec('ALTER TABLE away RENAME TO answers');
    other.close();
    assert.deepEqual(await store.add(question, key('a', 1), reply('later')), reply('later'));
    assert.deepEqual(
      [0, 1, 2].map((seed) => store.find(key('a', seed))?.text),
      ['kept', 'later', undefined],
    );
    await store.close();
  });

  it('copies the answers of a store of the first format, in LMDB, once', async () => {
    const folder = temporaryFolder();
    const { open } = await import('lmdb');
    const root = open({ path: join(folder, 'answers.mdb'), encoding: 'json', maxDbs: 4 });
    const { question: known, subject } = key('a');
    await root.openDB({ name: 'questions', encoding: 'json' }).put(known, question);
    await root.openDB({ name: 'answers', encoding: 'json' }).put([known, subject, 0], reply('paid'));
    await root.openDB({ name: 'images', encoding: 'json' }).put(['coco', '7'], subject);
    await root.close();
    const store = (await AnswerStore.openExisting(folder))!;
    assert.deepEqual(store.find(key('a')), reply('paid'));
    assert.deepEqual([...store.questions()], [[known, question]]);
    assert.deepEqual([...store.images()], [{ dataset: 'coco', id: '7', subject }]);
    await store.remove([key('a')]);
    await store.close();
    const again = await AnswerStore.open(folder);
    assert.equal(again.find(key('a')), undefined);
    await again.close();
  });

  it('throws an OutputError for a folder that cannot hold it', async () => {
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    await assert.rejects(
      AnswerStore.open(file),
      (error) => error instanceof OutputError && /file: cannot be used as an answer store: /.test(error.message),
    );
  });
});
