import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { AnswerStore, type Question, questionKey } from '../../src/endpoints/index.js';
import { OutputError } from '../../src/index.js';
import { packageRoot } from '../../src/package-info.js';
import { temporaryFolder } from '../support/folders.js';

const question: Question = { protocol: 'hf-chat', model: 'm', prompt: 'p', parameters: { temperature: 0 } };
const key = (subject: string, seed = 0) => ({ question: questionKey(question), subject: subject.repeat(64), seed });
const reply = (text: string) => ({ text, at: '2026-01-01T00:00:00.000Z' });

describe('AnswerStore', function () {
  this.timeout(60_000);

  it('gives back what it was given, also when it is opened anew, and the first answer stays', async () => {
    const folder = temporaryFolder();
    const store = await AnswerStore.open(folder);
    assert.equal(store.find(key('a')), undefined);
    await store.keep(question, key('a'), reply('one'));
    assert.deepEqual(await store.keep(question, key('a'), reply('two')), reply('one'));
    await store.close();
    const again = await AnswerStore.open(folder);
    assert.deepEqual(again.find(key('a')), reply('one'));
    assert.equal(again.find(key('a', 1)), undefined);
    assert.deepEqual([...again.questions().values()], [question]);
    await again.close();
  });

  it('is one store for all who open it in a process, until the last has closed it', async () => {
    const folder = temporaryFolder();
    const [one, two] = await Promise.all([AnswerStore.open(folder), AnswerStore.open(`${folder}/.`)]);
    assert.equal(one, two);
    await one.close();
    await two.keep(question, key('b'), reply('x'));
    const closed = two.close();
    const three = await AnswerStore.open(folder);
    assert.deepEqual(three.find(key('b')), reply('x'));
    await closed;
    await three.close();
  });

  it('has each answer that it said was kept after kill -9, and lets others read meanwhile', async () => {
    const folder = temporaryFolder();
    const script = join(temporaryFolder(), 'writer.mts');
    const module = pathToFileURL(join(packageRoot, 'src/endpoints/index.ts')).href;
    writeFileSync(
      script,
      `import { AnswerStore } from ${JSON.stringify(module)};
       const store = await AnswerStore.open(${JSON.stringify(folder)});
       const question = ${JSON.stringify(question)};
       await Promise.all([0, 1, 2, 3].map(async (lane) => {
         for (let seed = lane; ; seed += 4) {
           await store.keep(question, { question: ${JSON.stringify(questionKey(question))}, subject: 'c'.repeat(64), seed }, { text: String(seed), at: '' });
           process.stdout.write(seed + '\\n');
         }
       }));`,
    );
    const child = spawn(process.execPath, ['--import', 'tsx', script], {
      cwd: packageRoot,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    const store = await AnswerStore.open(folder);
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk;
      if (said.length > 200) child.kill('SIGKILL');
    });
    await once(child, 'close');
    const seeds = said.split('\n').slice(0, -1).map(Number);
    assert.ok(seeds.length > 20);
    for (const seed of seeds) assert.equal(store.find(key('c', seed))?.text, String(seed));
    await store.keep(question, key('d'), reply('after'));
    await store.close();
  });

  it('says where it can’t be', async () => {
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    await assert.rejects(
      AnswerStore.open(file),
      (error) => error instanceof OutputError && /file: can't hold the answers of models: /.test(error.message),
    );
  });
});
