import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot, version } from '../../src/package-info.js';
import { command, type Ended, relflow, SCENES } from '../support/command.js';
import { temporaryFolder } from '../support/folders.js';

/** Executes the compiled file itself, as `npx relflow` does. */
function execute(args: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(command(), args, { cwd: packageRoot }, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode, stdout, stderr }),
    );
    child.stdin?.end('a man riding a horse\n');
  });
}

describe('the compiled relflow', () => {
  const out = join(temporaryFolder(), 'graphs');
  const file = join(temporaryFolder(), 'annotations.json');
  const inputs = ['--annotations', join(SCENES, 'instances.json'), '--captions', join(SCENES, 'captions.json')];

  const cases: [args: string[], code: number, output: RegExp][] = [
    [['--version'], 0, new RegExp(`^${version}\n$`)],
    [['plan', 'coco', ...inputs], 0, /· tag ← pair/],
    [['run', 'coco', ...inputs, '--out', out, '--limit', '5'], 0, /^5 records in .* → /m],
    [['resume', out], 0, /^5 records in .* → /m],
    [['validate', out], 0, /graphs: valid\n$/],
    [
      ['export', out, '--format', 'rlipv2', '--file', file],
      0,
      /annotations\.json: [\d,]+ bytes from \d+ images with \d+ relations\n$/,
    ],
    [['inspect', '100001', out], 0, /^image 100001: \d+ objects/],
    [['parse', '--format', 'factual'], 0, /^\( man , ride , horse \)\n$/],
    [['weights', 'inspect', 'none.safetensors'], 1, /^relflow: none\.safetensors: /],
    [['frobnicate'], 2, /unknown command 'frobnicate'\n\(add --help for help\)\n$/],
  ];
  // These need no process of their own to show how they end.
  const casesHere: typeof cases = [
    [['run', 'coco', ...inputs, '--out', out], 1, /^relflow: .*graphs: /],
    [['finish', out], 0, /^5 records, \d+ files → /m],
    [['worker', '--help'], 0, /^Usage: relflow worker /],
    [['stats', out], 0, /^predicate +relations$/m],
    [['status', out], 2, /required option '--queue <url>'/],
    [['train', 'tagger'], 2, /required option '-c, --config <file>'/],
    [['doctor', '--threads', '0'], 2, /Expected a whole number from 1 to 64\./],
    [['list'], 0, /^coco +\S/m],
    [['captions', 'stats', '--store', join(out, 'none')], 1, /^relflow: .*none: /],
    [['evaluate', 'predicates', file], 1, /^relflow: .*annotations\.json/],
  ];
  for (const [args, code, output] of [...cases, ...casesHere])
    it(`relflow ${args.filter((arg) => !arg.includes('/') && !inputs.includes(arg)).join(' ')} exits with ${code}`, async () => {
      const ended = await (cases.some(([own]) => own === args) ? execute : relflow)(args);
      const [printed, other] = code === 0 ? [ended.stdout, ended.stderr] : [ended.stderr, ended.stdout];
      assert.deepEqual([ended.code, other], [code, ''], ended.stderr);
      assert.match(printed, output);
    });

  it('is an executable file', () => {
    assert.ok(existsSync(file));
    assert.equal(statSync(command()).mode & 0o111, 0o111);
  });
});
