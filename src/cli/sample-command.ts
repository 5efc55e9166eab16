import { type Command, Option } from 'commander';
import { sampleRelations } from '../evaluation/index.js';
import { RunFolder } from '../index.js';
import type { CommandContext } from './command-context.js';
import { number } from './recipes.js';

interface Flags {
  readonly images: string;
  readonly out: string;
  readonly count: number;
  readonly seed: number;
  readonly perImage: number;
}

/** Adds `relflow sample`. */
export function sampleCommand(program: Command, context: CommandContext): void {
  program
    .command('sample <folder>')
    .summary('draw relations of a run on sheets, to judge them by eye')
    .description(
      'Write a sample of a run for judging by eye: sheets of numbered pictures with the two boxes of a relation each, the subject in yellow and the object in cyan with dashes, and relations.csv with one row per relation. Fill in its last columns with yes, no or ?: match, whether the boxes are what the relation speaks of; triplet, whether it holds between any two such things in the image; pair, whether it holds between these two boxes. `relflow evaluate judged` then prints the precision. The same seed draws the same images from every run of a data set.',
    )
    .requiredOption('--images <folder>', 'image folder, tar file or s3:// address')
    .requiredOption('--out <folder>', 'folder for the sheets and the file to fill in')
    .addOption(new Option('--count <number>', 'number of images').argParser(number).default(40))
    .addOption(new Option('--seed <number>', 'seed of the choice').argParser(number).default(1))
    .addOption(
      new Option('--per-image <number>', 'maximum number of relations per image').argParser(number).default(20),
    )
    .addHelpText(
      'after',
      '\nExample:\n  relflow sample coco-graphs --images train2017 --count 40 --seed 1 --out sheet\n  relflow evaluate judged sheet/relations.csv',
    )
    .action(async (path: string, flags: Flags) => {
      const sample = await sampleRelations(new RunFolder(path), flags);
      const { images, imagesWithoutRelation, relations, left, withoutObject, unreadable, file, sheets } = sample;
      context.print(
        `${images} images, ${imagesWithoutRelation} of them without relations; ${relations} relations on ${sheets} sheets`,
        `fill in the columns match, triplet and pair of ${file}, then: relflow evaluate judged ${file}`,
      );
      if (left > 0)
        context.printNote(`${left} more relations of these images are not on the sheets; --per-image takes more`);
      if (withoutObject > 0) context.printNote(`${withoutObject} relations of these images have no object to draw`);
      if (unreadable.length > 0)
        context.printNote(
          `${unreadable.length} images cannot be read, and their boxes are drawn on gray; the first: ${unreadable[0]}`,
        );
    });
}
