/**
 * Measures the compiled neural parser on one core: captions per second, memory and time to the first graph, each against its
 * limit, and its speed against the rule parser's:
 *
 *     npm run bench:parser [-- captions.json]
 *
 * The file is a JSON file in COCO's format, a CSV file with the column `caption`, or has one caption per line; the default is generated captions of COCO's length.
 */
import { spawnSync } from 'node:child_process';
import { readCaptions } from '../parser-training/read-captions.js';
import { Random } from '../scripts/scenes/scene-random.js';
import type { TextParser } from '../src/index.js';

/** Least captions per second, most memory, most milliseconds to the first graph. */
const LIMITS = { captions: 10_000, megabytes: 300, milliseconds: 300 };
const ROUNDS = 5;

const dist = new URL('../dist/src/', import.meta.url);
const { neuralParser, ruleParser } = (await import(new URL('index.js', dist).href)) as typeof import('../src/index.js');

const file = process.argv[2];
const captions = file === undefined ? generateCaptions(20_000) : readCaptions(file);
const words = captions.reduce((sum, caption) => sum + caption.split(/\s+/).length, 0) / captions.length;
console.log(
  `captions        ${captions.length}, ${words.toFixed(1)} words each${file === undefined ? ', generated' : ''}`,
);

const megabytes = memory();
const neural = perSecond(neuralParser());
const rules = perSecond(ruleParser());
const start = startTime();
print('neural', `${neural.toFixed(0)} captions/s`, neural / LIMITS.captions, `of ${LIMITS.captions}`);
print('rules', `${rules.toFixed(0)} captions/s`, neural / rules, 'neural against rules');
print('memory', `${megabytes.toFixed(0)} MB at most`, megabytes / LIMITS.megabytes, `of ${LIMITS.megabytes}`);
print('start', `${start.toFixed(0)} ms to the first graph`, start / LIMITS.milliseconds, `of ${LIMITS.milliseconds}`);

function print(name: string, figure: string, ratio: number, what: string): void {
  console.log(`${name.padEnd(16)}${figure.padEnd(28)}ratio ${ratio.toFixed(2)} ${what}`);
}

/** Returns the captions per second of the fastest round. */
function perSecond(parser: TextParser): number {
  let best = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const started = performance.now();
    for (const caption of captions) void parser.parse(caption);
    best = Math.max(best, (1000 * captions.length) / (performance.now() - started));
  }
  return best;
}

/** Returns the most memory of a process that only parses the captions, over and over: the compiler of this program needs 60 MB itself. */
function memory(): number {
  const module = new URL('parser/neural/neural-parser.js', dist);
  const program = `const { neuralParser } = await import(${JSON.stringify(module.href)});
    const captions = JSON.parse(await new Response(process.stdin).text());
    const parser = neuralParser();
    for (let round = 0; round < ${ROUNDS}; round++) for (const caption of captions) parser.parse(caption);
    console.log(process.resourceUsage().maxRSS / 1024);`;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
    input: JSON.stringify(captions),
  });
  return Number(stdout);
}

/** Returns the milliseconds from importing the parser to its first graph, each round in a new process. */
function startTime(): number {
  const module = new URL('parser/neural/neural-parser.js', dist);
  const program = `const started = performance.now();
    const { neuralParser } = await import(${JSON.stringify(module.href)});
    neuralParser().parse('a man riding a horse');
    console.log(performance.now() - started);`;
  const times = Array.from({ length: ROUNDS }, () =>
    Number(spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' }).stdout),
  );
  return Math.min(...times);
}

function generateCaptions(count: number): string[] {
  const random = new Random(1);
  const pick = (list: string): string => {
    const items = list.split(' ');
    return items[Math.floor(random.next() * items.length)]!;
  };
  const phrase = () =>
    `${pick('a the two some')} ${pick('red small old wooden young black large white')} ${pick(
      'man woman dog cat horse bench table plate bus train tree street kite ball child boat',
    )}`;
  return Array.from(
    { length: count },
    () =>
      `${phrase()} ${pick('riding holding watching sitting standing parked')} ${pick('on in near behind')} ${phrase()} ${pick('with and')} ${phrase()}.`,
  );
}
