import assert from 'node:assert/strict';
import { cpSync, existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { AnswerStore, type Question, questionKey } from '../../src/endpoints/index.js';
import { command } from './command.js';
import { faultEnvironment, isRun, runNode, type Scenario, scriptFile } from './faults.js';
import { digests, temporaryFolder } from './folders.js';
import { writeSyntheticCoco } from './synthetic-coco.js';

const question: Question = { protocol: 'hf-chat', model: 'm', prompt: 'p', parameters: { temperature: 0 } };
const answers = 12;
const key = (seed: number) => ({ question: questionKey(question), subject: 'a'.repeat(64), seed });

/** Runs the compiled relflow; it must succeed. */
async function relflow(...args: readonly string[]): Promise<void> {
  const { code, stderr } = await runNode([command(), ...args]);
  assert.equal(code, 0, `${args.join(' ')}: ${stderr}`);
}

/** A run that is complete in `whole`, and the scenario of running it. */
async function preparedRun() {
  const { annotations, captions } = writeSyntheticCoco(temporaryFolder(), 40);
  const inputs = ['--annotations', annotations, '--captions', captions, '--shard-records', '15', '--quiet'];
  const run = ['run', 'coco', ...inputs, '--export', 'rlipv2'];
  const whole = join(temporaryFolder(), 'whole');
  await relflow(...run, '--out', whole);
  const expected = digests(whole);
  const scenario: Scenario = {
    name: 'run',
    program: (out) => [command(), ...run, '--out', out],
    recover: async (out) => {
      await relflow(...(isRun(out) ? ['resume', out, '--quiet'] : [...run, '--out', out]));
      assert.deepEqual(digests(out), expected);
    },
  };
  return { inputs, run, whole, scenario };
}

/** The scenario of a run, which is ready much sooner than all. */
export async function runScenario(): Promise<Scenario> {
  return (await preparedRun()).scenario;
}

/** Everything that writes files that must survive an interruption. */
export async function faultScenarios(): Promise<Scenario[]> {
  const { inputs, run, whole, scenario } = await preparedRun();
  const root = temporaryFolder();
  const [parts, allParts, begun, page] = ['parts', 'all-parts', 'begun', 'page'].map((name) => join(root, name)) as [
    string,
    string,
    string,
    string,
  ];

  // After the first of three shards.
  const { code } = await runNode([command(), ...run, '--out', begun], faultEnvironment(begun, 'kill', 50));
  assert.equal(code, null);

  const part = (out: string, k: number) => ['run', 'coco', ...inputs, '--shard', `${k}/2`, '--out', out];
  await relflow(...part(parts, 1));
  cpSync(parts, allParts, { recursive: true });
  await relflow(...part(allParts, 2));
  const finished = join(root, 'finished');
  cpSync(allParts, finished, { recursive: true });
  await relflow('finish', finished);
  const expectedParts = digests(finished);
  await relflow('export', whole, '--format', 'page', '--file', page);

  const finishParts = async (out: string) => {
    for (const k of [1, 2]) await relflow(...part(out, k));
    await relflow('finish', out);
    assert.deepEqual(digests(out), expectedParts);
  };
  const store = scriptFile(
    `import { AnswerStore } from ${JSON.stringify(join(resolve(command()), '../../endpoints/index.js'))};
     const [folder, question, key] = [process.argv[2], ...process.argv.slice(3).map((text) => JSON.parse(text))];
     try {
       const store = await AnswerStore.open(folder);
       for (let seed = 0; seed < ${answers}; seed++) {
         await store.add(question, { ...key, seed }, { text: String(seed).repeat(3000), at: '' });
         console.log(seed);
       }
       await store.close();
     } catch (error) {
       if (error.name !== 'OutputError') throw error;
       console.error('relflow: ' + error.message);
       process.exit(1);
     }`,
  );
  return [
    scenario,
    { ...scenario, name: 'resume', before: begun, program: (out) => [command(), 'resume', out, '--quiet'] },
    { name: 'part of a run', program: (out) => [command(), ...part(out, 1)], recover: finishParts },
    { name: 'last part of a run', before: parts, program: (out) => [command(), ...part(out, 2)], recover: finishParts },
    { name: 'finish', before: allParts, program: (out) => [command(), 'finish', out], recover: finishParts },
    {
      name: 'export',
      program: (folder) => [command(), 'export', whole, '--format', 'page', '--file', join(folder, 'page')],
      recover: async (folder) => {
        const file = join(folder, 'page');
        if (!existsSync(file)) await relflow('export', whole, '--format', 'page', '--file', file);
        assert.ok(readFileSync(file).equals(readFileSync(page)), 'the page differs');
      },
    },
    {
      name: 'answer store',
      program: (folder) => [store, folder, JSON.stringify(question), JSON.stringify(key(0))],
      message: /\((?:ENOSPC|EROFS|EIO|EMFILE|SQLITE_\w+|mkdir[^()]*)\)/,
      recover: async (folder, output) => {
        const opened = await AnswerStore.open(folder);
        try {
          for (const seed of output.split('\n').slice(0, -1).map(Number))
            assert.equal(opened.find(key(seed))?.text, String(seed).repeat(3000), `answer ${seed} was stored`);
          await opened.add(question, key(answers), { text: 'after', at: '' });
        } finally {
          await opened.close();
        }
      },
    },
  ];
}
