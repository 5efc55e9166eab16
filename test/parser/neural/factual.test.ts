import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { evaluateParser } from '../../../src/evaluation/parser/evaluate-parser.js';
import { goldCaptions } from '../../../src/evaluation/parser/gold-captions.js';
import { neuralParser } from '../../../src/parser/neural/neural-parser.js';
import { ruleParser } from '../../../src/parser/rules/rule-parser.js';

const file = '../shared/data/factual/dev.csv';

describe('neuralParser on FACTUAL’s dev split', () => {
  it('is as good as its model card says, and far better than the rules', async function () {
    this.timeout(60_000);
    if (!existsSync(file)) {
      console.log(`      skipped: ${file} is not here`);
      this.skip();
    }
    const scoresOf = async (parser = neuralParser({ minConfidence: 0 })) =>
      (
        await evaluateParser(
          goldCaptions(file, ({ line, problem }) => assert.fail(`line ${line}: ${problem}`)),
          parser,
        )
      ).overall;
    const [learned, rules] = [await scoresOf(), await scoresOf(ruleParser())];
    assert.ok(learned.setMatch >= 78, `Set Match ${learned.setMatch}`);
    assert.ok(learned.spice >= 92, `SPICE ${learned.spice}`);
    assert.ok(learned.setMatch > rules.setMatch + 15);
  });
});
