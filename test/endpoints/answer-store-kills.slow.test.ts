import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { AnswerStore, type Question, questionKey } from '../../src/endpoints/index.js';
import { Random } from '../../src/records/random.js';
import { command } from '../support/command.js';
import { scriptFile } from '../support/faults.js';
import { temporaryFolder } from '../support/folders.js';

// All 500 kills: RELFLOW_KILLS=500 npx mocha --timeout 0 test/endpoints/answer-store-kills.slow.test.ts
const KILLS = Number(process.env['RELFLOW_KILLS'] ?? 10);
const question: Question = { protocol: 'hf-chat', model: 'm', prompt: 'p', parameters: { temperature: 0 } };
const keyOf = (letter: string, seed: number) => ({ question: questionKey(question), subject: letter.repeat(64), seed });

describe('an answer store whose writers are killed', () => {
  it(`keeps every stored answer of ${KILLS} writers killed with -9, and accepts all of another writer meanwhile`, async () => {
    const folder = temporaryFolder();
    const store = await AnswerStore.open(folder);
    const writer = scriptFile(
      `import { AnswerStore } from ${JSON.stringify(join(resolve(command()), '../../endpoints/index.js'))};
       const [folder, question, key] = [process.argv[2], ...process.argv.slice(3).map((text) => JSON.parse(text))];
       const store = await AnswerStore.open(folder);
       for (let { seed } = key; ; seed++) {
         await store.add(question, { ...key, seed }, { text: String(seed), at: '' });
         process.stdout.write(seed + '\\n');
       }`,
    );
    const stored: ReturnType<typeof keyOf>[] = [];
    let isDone = false;
    const survivor = (async () => {
      for (let seed = 0; !isDone; seed++) {
        await store.add(question, keyOf('e', seed), { text: String(seed), at: '' });
        stored.push(keyOf('e', seed));
        await new Promise((next) => setTimeout(next, 3));
      }
    })();
    const random = new Random(1);
    let started = 0;
    const killAll = async (letter: string) => {
      for (let next = 0; started++ < KILLS; ) {
        const args = [writer, folder, JSON.stringify(question), JSON.stringify(keyOf(letter, next))];
        const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
        let output = '';
        child.stdout.on('data', (chunk) => {
          output += chunk;
        });
        child.stdout.once('data', () => setTimeout(() => child.kill('SIGKILL'), random.next() * 40));
        const [code, signal] = await once(child, 'close');
        assert.deepEqual([code, signal], [null, 'SIGKILL']);
        for (const seed of output.split('\n').slice(0, -1).map(Number)) {
          stored.push(keyOf(letter, seed));
          next = seed + 10;
        }
      }
    };
    await Promise.all(['a', 'b'].map(killAll));
    isDone = true;
    await survivor;
    await store.close();
    const again = await AnswerStore.open(folder);
    for (const key of stored) assert.equal(again.find(key)?.text, String(key.seed));
    await again.close();
  });
});
