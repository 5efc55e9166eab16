// Captions a second of the learned parser, compiled, on one core, its memory and start, against their limits and the rule
// parser:
//
//   npm run bench:parser [-- captions.json]
//
// The file is COCO's captions, or one caption a line; without one, captions of COCO's length are made up.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Random } from '../scripts/scenes/scene-random.js';
import type { TextParser } from '../src/index.js';

const LIMITS = { captions: 10_000, megabytes: 300, milliseconds: 300 };
const ROUNDS = 5;

const dist = new URL('../dist/src/', import.meta.url);
const { neuralParser, ruleParser } = (await import(new URL('index.js', dist).href)) as typeof import('../src/index.js');

const file = process.argv[2];
const captions = file === undefined ? madeUp(20_000) : read(file);
const words = captions.reduce((sum, caption) => sum + caption.split(/\s+/).length, 0) / captions.length;
console.log(
  `captions        ${captions.length}, ${words.toFixed(1)} words each${file === undefined ? ', made up' : ''}`,
);

const learned = perSecond(neuralParser({ minConfidence: 0 }));
const megabytes = process.resourceUsage().maxRSS / 1024;
const rules = perSecond(ruleParser());
const start = startTime();
print('learned', `${learned.toFixed(0)} captions/s`, learned / LIMITS.captions, `of ${LIMITS.captions}`);
print('rules', `${rules.toFixed(0)} captions/s`, learned / rules, 'learned against rules');
print('memory', `${megabytes.toFixed(0)} MB at most`, megabytes / LIMITS.megabytes, `of ${LIMITS.megabytes}`);
print('start', `${start.toFixed(0)} ms to the first graph`, start / LIMITS.milliseconds, `of ${LIMITS.milliseconds}`);

function print(name: string, figure: string, ratio: number, what: string): void {
  console.log(`${name.padEnd(16)}${figure.padEnd(28)}ratio ${ratio.toFixed(2)} ${what}`);
}

/** The best of the rounds. */
function perSecond(parser: TextParser): number {
  let best = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const begun = performance.now();
    for (const caption of captions) void parser.parse(caption);
    best = Math.max(best, (1000 * captions.length) / (performance.now() - begun));
  }
  return best;
}

/** In a process of its own, from its import on. */
function startTime(): number {
  const module = new URL('parser/neural/neural-parser.js', dist);
  const program = `const begun = performance.now();
    const { neuralParser } = await import(${JSON.stringify(module.href)});
    neuralParser({ minConfidence: 0 }).parse('a man riding a horse');
    console.log(performance.now() - begun);`;
  const times = Array.from({ length: ROUNDS }, () =>
    Number(spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' }).stdout),
  );
  return Math.min(...times);
}

function read(path: string): string[] {
  const text = readFileSync(path, 'utf8');
  if (!path.endsWith('.json')) return text.split('\n').filter((line) => line !== '');
  return (JSON.parse(text) as { annotations: { caption: string }[] }).annotations.map(({ caption }) => caption);
}

function madeUp(count: number): string[] {
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
