// cspell:ignore CWORD COMPREPLY norc tcsh
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { command, relflow } from '../support/command.js';
import { temporaryFolder } from '../support/folders.js';

describe('relflow completion', () => {
  let folder: string;
  let completions: string;
  let server: Server;

  before(async () => {
    server = createServer(answer).listen(0, '127.0.0.1');
    await once(server, 'listening');
    completions = (await relflow(['completion', 'bash'])).stdout;
    folder = temporaryFolder();
    mkdirSync(join(folder, 'images'), { recursive: true });
    writeFileSync(join(folder, 'instances.json'), '{}');
    writeFileSync(join(folder, 'mine.mjs'), 'process.exit(7);');
  });

  after(() => server.close());

  /** Runs relflow here with the arguments that a connection sends: their number and each of them in a line. */
  function answer(socket: Socket): void {
    let sent = '';
    socket.on('data', async (chunk: Buffer) => {
      sent += chunk;
      const [count, ...args] = sent.split('\n').slice(0, -1);
      if (args.length === Number(count)) socket.end((await relflow(args)).stdout);
    });
  }

  const PROCESS = '"$NODE" "$MAIN" "$@"';
  const HERE = 'exec 3<>"/dev/tcp/127.0.0.1/$PORT"; printf "%s\\n" $# "$@" >&3; cat <&3; exec 3>&-';

  /** Completes a line in a real bash; `|` is where its words are split. */
  async function inBash(line: string, run = HERE): Promise<string[]> {
    const script = `
      relflow() { ${run}; }
      eval "$COMPLETIONS"
      function_=$(complete -p relflow | sed 's/.*-F \\([^ ]*\\) .*/\\1/')
      COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
      "$function_" relflow "\${COMP_WORDS[COMP_CWORD]}"
      printf '%s\\n' "\${COMPREPLY[@]}"`;
    const PORT = String((server.address() as AddressInfo).port);
    const { stdout } = await promisify(execFile)('bash', ['--norc', '-c', script, 'bash', ...line.split('|')], {
      cwd: folder,
      env: { ...process.env, NODE: process.execPath, MAIN: command(), PORT, COMPLETIONS: completions },
    });
    return stdout.split('\n').filter((word) => word !== '');
  }

  it('completes commands, pipelines, options, choices and paths in bash', async () => {
    const cases: [string, string[]][] = [
      ['relflow|ex', ['export']],
      ['relflow|wei', ['weights']],
      ['relflow|weights|in', ['init', 'inspect']],
      ['relflow|run|obj', ['objects365']],
      ['relflow|run|mi', ['mine.mjs']],
      ['relflow|run|coco|--capt', ['--captions', '--captioner']],
      ['relflow|run|coco|--threshold|0.1|--bac', ['--backend']],
      ['relflow|run|coco|--backend|w', ['webgpu', 'wasm']],
      ['relflow|run|coco|--backend|=|w', ['webgpu', 'wasm']],
      ['relflow|run|coco|--parser|=', ['rules', 'neural', 'factual-t5']],
      ['relflow|run|coco|--export|rlipv2,pa', ['rlipv2,page']],
      ['relflow|run|coco|--annotations|in', ['instances.json']],
      ['relflow|run|coco|--images|i', ['images']],
      ['relflow|run|coco|--limit|', []],
      ['relflow|plan|coco|--format|s', ['svg']],
      ['relflow|validate|ins', ['instances.json']],
      ['relflow|completion|f', ['fish']],
      ['relflow|--ver', ['--version']],
    ];
    for (const [line, expected] of cases) assert.deepEqual(await inBash(line), expected, line);
    for (const [line, expected] of cases.slice(8, 10)) assert.deepEqual(await inBash(line, PROCESS), expected, line);
  });

  it('knows every command and option that help shows, with their descriptions', async () => {
    const complete = async (...words: string[]) => {
      const { code, stdout } = await relflow(['complete-words', '--', ...words]);
      assert.equal(code, 0);
      return stdout.split('\n').filter((line) => line !== '' && !line.startsWith(':'));
    };
    for (const args of [[], ['run', 'coco'], ['evaluate', 'predicates'], ['train', 'tagger'], ['worker']]) {
      const { stdout } = await relflow([...args, '--help']);
      const shown = [...stdout.matchAll(/^ {2}(?:-\w, )?(--[\w-]+)/gm)].map(([, name]) => name!);
      const completed = (await complete(...args, '--')).map((line) => line.split('\t')[0]);
      assert.deepEqual(completed.sort(), shown.sort(), args.join(' '));
    }
    const commands = await complete('');
    assert.ok(commands.includes('run\trun a pipeline into an output folder'), commands.join('\n'));
    assert.ok(!commands.some((line) => line.startsWith('complete-words') || line.startsWith('isolated-shard')));
  });

  it('prints a script for each shell and refuses others', async () => {
    for (const shell of ['bash', 'zsh', 'fish']) {
      const { code, stdout } = await relflow(['completion', shell]);
      assert.equal(code, 0);
      assert.match(stdout, /relflow complete-words -- /);
    }
    const { code, stderr } = await relflow(['completion', 'tcsh']);
    assert.equal(code, 2);
    assert.match(stderr, /Allowed choices are bash, zsh, fish/);
  });
});
