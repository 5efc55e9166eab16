import { describeStrangersFolder } from '../support/strangers-folder.js';

describe("a stranger's folder, with every export", () => {
  describeStrangersFolder(() => true);
});
