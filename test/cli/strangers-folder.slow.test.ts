import { describeStrangersFolder } from '../support/strangers-folder.js';

describe("a stranger's folder, with the other exports", () => {
  // Those that strangers-folder.test.ts leaves out.
  describeStrangersFolder((way, number) => (way + number) % 3 !== 0);
});
