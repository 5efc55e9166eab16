import { describeStrangersFolder } from '../support/strangers-folder.js';

describe("a stranger's folder", () => {
  // Each export meets a third of the ways, and the others in strangers-folder.slow.test.ts.
  describeStrangersFolder((way, number) => (way + number) % 3 === 0);
});
