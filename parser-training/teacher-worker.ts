/** A process of `labelWithTeachers`: trains one teacher or assistant, labels its share of the captions and exits. */
import { RelationLabels } from '../src/parser/neural/relation-labels.js';
import { trainAssistant } from './assistant.js';
import { CacheFile } from './cache-file.js';
import type { TeacherMessage, TeacherTask } from './label-with-teachers.js';
import { trainTeacher } from './teacher.js';
import type { Losses, TrainingState } from './trainer.js';
import { readTransformerWeights } from './transformer-weights.js';

/** Captions per message. */
const captionsPerMessage = 2048;

const send = (message: TeacherMessage) => new Promise<void>((resolve) => process.send!(message, () => resolve()));

process.once('message', async ({ encoder, labels, options, examples, captions, checkpoint }: TeacherTask) => {
  const parent = process.ppid;
  const onEpoch = (epoch: number, losses: Losses) => {
    // The parent was killed: stop, and let the next run resume from this epoch's checkpoint.
    if (process.ppid !== parent) process.exit(1);
    void send({ epoch, losses });
  };
  const training = {
    labels: new RelationLabels(labels),
    options,
    examples,
    onEpoch,
    checkpoint: checkpoint === undefined ? undefined : new CacheFile<TrainingState>(checkpoint),
  };
  const labeler =
    encoder === undefined ? trainAssistant(training) : trainTeacher(await readTransformerWeights(encoder), training);
  for (let k = 0; k < captions.length; k += captionsPerMessage)
    await send({ labeled: labeler.label(captions.slice(k, k + captionsPerMessage)) });
  await send({ isDone: true });
  process.exit(0);
});
