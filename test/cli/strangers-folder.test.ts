import { describeStrangersFolder } from '../support/strangers-folder.js';

describe("a stranger's folder", () => {
  // Each export meets a third of the ways; strangers-folder.slow.test.ts has all pairs.
  describeStrangersFolder((way, number) => (way + number) % 3 === 0);
});
