import assert from 'node:assert/strict';
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { AnswerStore, type Question, questionKey } from '../../src/endpoints/index.js';
import { digest } from '../../src/files/digest.js';
import { command, relflow as relflowHere, SCENES } from './command.js';
import { faultEnvironment, isRun, runNode, type Scenario, scriptFile } from './faults.js';
import { digests, temporaryFolder } from './folders.js';
import { writeSyntheticCoco } from './synthetic-coco.js';

const question: Question = { protocol: 'hf-chat', model: 'm', prompt: 'p', parameters: { temperature: 0 } };
const answers = 12;
const key = (seed: number) => ({ question: questionKey(question), subject: 'a'.repeat(64), seed });

/** Runs relflow; it must succeed. */
async function relflow(...args: readonly string[]): Promise<void> {
  const { code, stderr } = await relflowHere(args);
  assert.equal(code, 0, `${args.join(' ')}: ${stderr}`);
}

/** The path of a compiled module of relflow, for a script. */
const compiled = (module: string) => JSON.stringify(join(resolve(command()), '../..', module));

let prepared: ReturnType<typeof prepareRun> | undefined;

/** Returns a run that is complete in `whole`, and the scenario of running it; all scenarios only read it. */
function preparedRun(): ReturnType<typeof prepareRun> {
  prepared ??= prepareRun();
  return prepared;
}

async function prepareRun() {
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
  const begun = join(root, 'begun');
  // After the first of three shards.
  const { code } = await runNode([command(), ...run, '--out', begun], faultEnvironment(begun, 'kill', 50));
  assert.equal(code, null);
  const page = join(root, 'page');
  await relflow('export', whole, '--format', 'page', '--file', page);
  return [
    scenario,
    { ...scenario, name: 'resume', before: begun, program: (out) => [command(), 'resume', out, '--quiet'] },
    ...(await sharedScenarios(inputs)),
    await trainingScenario(),
    {
      name: 'export',
      program: (folder) => [command(), 'export', whole, '--format', 'page', '--file', join(folder, 'page')],
      recover: async (folder) => {
        const file = join(folder, 'page');
        if (!existsSync(file)) await relflow('export', whole, '--format', 'page', '--file', file);
        assert.ok(readFileSync(file).equals(readFileSync(page)), 'the page differs');
      },
    },
    await replacementScenario(whole),
    storeScenario(),
  ];
}

/** The scenario of an export of several files that replaces an earlier one. */
export async function replacementScenario(run: string): Promise<Scenario> {
  const args = (folder: string, ...more: string[]) => [
    'export',
    run,
    ...['--format', 'reltr', '--out', join(folder, 'set'), ...more],
  ];
  const second = ['--min-confidence', '0.5'];
  const [before, after] = [temporaryFolder(), temporaryFolder()];
  await relflow(...args(before));
  await relflow(...args(after, ...second));
  const [old, replaced] = [digests(join(before, 'set')), digests(join(after, 'set'))];
  return {
    name: 'replacement of an export',
    before,
    program: (folder) => [command(), ...args(folder, ...second, '--overwrite')],
    recover: async (folder) => {
      // An export finds the earlier one again, whatever was between the renames.
      const { stderr } = await relflowHere(args(folder, ...second));
      assert.match(stderr, /already contains an export/);
      const found = digests(join(folder, 'set'));
      assert.ok(
        [old, replaced].some((whole) => isDeepStrictEqual(found, whole)),
        Object.keys(found).join(),
      );
      await relflow(...args(folder, ...second, '--overwrite'));
      assert.deepEqual(digests(join(folder, 'set')), replaced);
    },
  };
}

/** Returns the folder of a complete run. */
export async function finishedRun(): Promise<string> {
  return (await preparedRun()).whole;
}

/** The scenarios in which several processes work on one run: its parts, and its end. */
export async function sharedScenarios(given?: readonly string[]): Promise<Scenario[]> {
  const inputs = given ?? (await preparedRun()).inputs;
  const root = temporaryFolder();
  const [parts, allParts] = [join(root, 'parts'), join(root, 'all-parts')];
  const part = (out: string, k: number) => [
    'run',
    'coco',
    ...inputs,
    '--export',
    'rlipv2',
    '--shard',
    `${k}/2`,
    '--out',
    out,
  ];
  await relflow(...part(parts, 1));
  cpSync(parts, allParts, { recursive: true });
  await relflow(...part(allParts, 2));
  const finished = join(root, 'finished');
  cpSync(allParts, finished, { recursive: true });
  await relflow('finish', finished);
  const expectedParts = digests(finished);

  const finishParts = async (out: string) => {
    for (const k of [1, 2]) await relflow(...part(out, k));
    await relflow('finish', out);
    assert.deepEqual(digests(out), expectedParts);
  };
  const finishInQueue = join(root, 'finish-in-queue');
  cpSync(allParts, finishInQueue, { recursive: true });
  writeFileSync(join(finishInQueue, '.relflow/queue.json'), '{}');
  const stateDigest = digest(JSON.parse(readFileSync(join(allParts, '.relflow/run.json'), 'utf8')));
  const worker = scriptFile(
    `import { JobProcessor } from ${compiled('queue/job-processor.js')};
     import { queueServer } from ${compiled('queue/index.js')};
     import { graphOfRun } from ${compiled('cli/saved-run.js')};
     const [out, stateDigest] = process.argv.slice(2);
     const graphOf = (folder) => graphOfRun(folder, 'worker', '', { inputs: false, flags: {} });
     const retries = { attempts: 1, backoff: { type: 'exponential', delay: 0 } };
     const data = { run: '00000000-0000-4000-8000-000000000000', out, stateDigest, retries };
     const jobs = new JobProcessor(queueServer('redis://127.0.0.1:1'), { graphOf });
     try {
       await jobs.process('finish', { data, opts: {}, getIgnoredChildrenFailures: async () => ({}) });
     } catch (error) {
       if (error.code === undefined) throw error;
       console.error('relflow: ' + error.message);
       process.exit(1);
     } finally {
       await jobs.close();
     }`,
  );
  return [
    { name: 'part of a run', program: (out) => [command(), ...part(out, 1)], recover: finishParts },
    { name: 'last part of a run', before: parts, program: (out) => [command(), ...part(out, 2)], recover: finishParts },
    { name: 'finish', before: allParts, program: (out) => [command(), 'finish', out], recover: finishParts },
    {
      name: 'finish by a worker of a queue',
      before: finishInQueue,
      program: (out) => [worker, out, stateDigest],
      recover: async (out) => {
        await finishParts(out);
        assert.ok(!existsSync(join(out, '.relflow/queue.json')), 'processes that wait for the end of the run wait on');
      },
    },
  ];
}

/** The scenario of an answer store that a process adds to. */
function storeScenario(): Scenario {
  const store = scriptFile(
    `import { AnswerStore } from ${compiled('endpoints/index.js')};
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
  return {
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
  };
}

/** The scenario of a training of two steps with a checkpoint after each. */
async function trainingScenario(): Promise<Scenario> {
  const genome = join(SCENES, 'visual-genome');
  const visualGenome = {
    sceneGraphs: join(genome, 'scene_graphs.json'),
    imageData: join(genome, 'image_data.json'),
  };
  const config = join(temporaryFolder(), 'tagger.json');
  const settings = {
    ...{ task: 'tagger', model: 'tinyTagger', data: [{ visualGenome, images: join(SCENES, 'images') }] },
    ...{ epochs: 100, steps: 2, batchSize: 2, labels: { objects: 8, relations: 8 }, checkpointEvery: 1 },
    augmentation: { flip: 0, colorJitter: 0, shorterSides: [48], maxSize: 64 },
    ...{ backend: 'wasm', threads: 1, readers: 0 },
  };
  writeFileSync(config, JSON.stringify(settings));
  const train = (out: string) => ['train', 'tagger', '--config', config, '--out', out, '--quiet'];
  const whole = join(temporaryFolder(), 'whole');
  await relflow(...train(whole));
  const expected = trained(whole);
  return {
    name: 'training',
    program: (out) => [command(), ...train(out)],
    recover: async (out) => {
      await relflow(...train(out), ...(existsSync(join(out, 'settings.json')) ? ['--resume'] : []));
      assert.deepEqual(trained(out), expected);
    },
  };
}

/** Returns what a training has in its folder, and the losses in its log. */
function trained(folder: string) {
  const { 'log.jsonl': _, 'curves.html': curves, ...files } = digests(folder);
  assert.ok(curves !== undefined);
  const losses = readFileSync(join(folder, 'log.jsonl'), 'utf8')
    .split('\n')
    .flatMap((line) => {
      const { event, step, loss } = JSON.parse(line || '{}') as Record<string, unknown>;
      return event === 'step' ? [`${step}: ${loss}`] : [];
    });
  return { files, losses };
}
