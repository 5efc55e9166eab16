/**
 * The characters from the blank to the tilde on five columns of eight dots, two hexadecimal digits a column, the lowest bit on top.
 * A picture so looks the same on machines with other fonts, or none.
 */
const COLUMNS =
  // cspell:disable
  '000000000000005f00000007000700147f147f14242a7f2a12231308646236495620500008070300001c2241000041221c00' +
  '2a1c7f1c2a08083e080800807030000808080808000060600020100804023e5149453e00427f400072494949462141494d33' +
  '1814127f1027454545393c4a49493141211109073649494936464949291e0000140000004034000000081422411414141414' +
  '004122140802015909063e415d594e7c1211127c7f494949363e414141227f4141413e7f494949417f090909013e41415173' +
  '7f0808087f00417f41002040413f017f081422417f404040407f021c027f7f0408107f3e4141413e7f090909063e4151215e' +
  '7f09192946264949493203017f01033f4040403f1f2040201f3f4038403f631408146303047804036159494d43007f414141' +
  '0204081020004141417f04020102044040404040000307080020545478407f284444383844444428384444287f3854545418' +
  '00087e090218a4a49c787f0804047800447d40002040403d007f1028440000417f40007c047804787c080404783844444438' +
  'fc1824241818242418fc7c08040408485454542404043f44243c4040207c1c2040201c3c4030403c44281028444c9090907c' +
  '4464544c440008364100000077000000413608000201020402';
// cspell:enable

/** Width of a character with the gap after it, and its height, in dots. */
export const LETTER = { width: 6, height: 9 } as const;

/** Returns the dots of a text as `[x, y]`, from the top left of its first character. Letters of other scripts become `?`. */
export function* dotsOf(text: string): Generator<readonly [x: number, y: number]> {
  for (const [at, letter] of [...plainText(text)].entries()) {
    const first = 10 * (letter.charCodeAt(0) - 32);
    for (let x = 0; x < 5; x++) {
      const column = Number.parseInt(COLUMNS.slice(first + 2 * x, first + 2 * x + 2), 16);
      for (let y = 0; y < 8; y++) if (column & (1 << y)) yield [at * LETTER.width + x, y];
    }
  }
}

/** Removes accents; every other character that has no dots becomes `?`. */
export function plainText(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^ -~]/gu, '?');
}
