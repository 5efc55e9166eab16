/** A process of `teach`: trains one teacher or assistant, says what it makes of captions, and ends. */
import { RelationLabels } from '../src/parser/neural/relation-labels.js';
import { trainAssistant } from './assistant.js';
import { CacheFile } from './cache-file.js';
import type { TeacherMessage, TeacherTask } from './label-with-teachers.js';
import { trainTeacher } from './teacher.js';
import type { Losses, TrainingState } from './trainer.js';
import { readTransformerWeights } from './transformer-weights.js';

/** Captions of one message. */
const atOnce = 2048;

const send = (message: TeacherMessage) => new Promise<void>((resolve) => process.send!(message, () => resolve()));

process.once('message', async ({ encoder, labels, options, examples, captions, checkpoint }: TeacherTask) => {
  const starter = process.ppid;
  const onEpoch = (epoch: number, losses: Losses) => {
    // Whoever started it was killed: nobody waits for what it finds, and the next run begins where it is now.
    if (process.ppid !== starter) process.exit(1);
    void send({ epoch, losses });
  };
  const training = {
    labels: new RelationLabels(labels),
    options,
    examples,
    onEpoch,
    checkpoint: checkpoint === undefined ? undefined : new CacheFile<TrainingState>(checkpoint),
  };
  const labeller =
    encoder === undefined ? trainAssistant(training) : trainTeacher(await readTransformerWeights(encoder), training);
  for (let k = 0; k < captions.length; k += atOnce)
    await send({ labelled: labeller.label(captions.slice(k, k + atOnce)) });
  await send({ isDone: true });
  process.exit(0);
});
