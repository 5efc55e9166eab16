/** Prints how well the categories of sets that no built-in list has are matched: `npx tsx bench/categories.ts [--rules]`. */
import { neuralParser, ruleParser } from '../src/index.js';
import { categorySets, scoreCategorySet } from '../test/support/category-sets.js';

const parser = process.argv.includes('--rules') ? ruleParser() : neuralParser();
for (const set of categorySets) {
  const { mentions, found, matched, wrong, problems } = await scoreCategorySet(set, parser);
  for (const problem of problems) console.log(problem);
  console.log(
    `${set}: ${found} of ${mentions} mentions matched (${(found / mentions).toFixed(3)}), ${wrong} of ${matched} wrong`,
  );
}
