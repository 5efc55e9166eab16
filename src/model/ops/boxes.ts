import * as tf from '@tensorflow/tfjs-core';
import { logit } from './logit.js';

/**
 * Refines boxes: adds the output of a box head to the logits of the references and applies the sigmoid.
 * @param change output of the box head, `[batch, n, 4]`
 * @param reference points `[batch, n, 2]` or boxes `[batch, n, 4]`, in [0, 1]; a point leaves w and h to the box head
 * @returns boxes cx, cy, w and h in [0, 1], `[batch, n, 4]`
 *
 * Source: Deformable DETR, iterative box refinement.
 */
export function refineBoxes(change: tf.Tensor3D, reference: tf.Tensor3D): tf.Tensor3D {
  const at = logit(reference);
  if (reference.shape[2] === 4) return tf.sigmoid(tf.add(change, at));
  return tf.sigmoid(
    tf.add(
      change,
      tf.pad(at, [
        [0, 0],
        [0, 0],
        [0, 2],
      ]),
    ),
  );
}

/**
 * Converts boxes from center and size to corners.
 * @param boxes cx, cy, w and h, `[…, 4]`
 * @returns left, top, right and bottom, `[…, 4]`
 *
 * Source: DETR, `box_cxcywh_to_xyxy`.
 */
export function cxcywhToXyxy(boxes: tf.Tensor): tf.Tensor {
  const [cx, cy, w, h] = tf.split(boxes, 4, -1) as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
  const [x, y] = [tf.div(w, 2), tf.div(h, 2)];
  return tf.concat([tf.sub(cx, x), tf.sub(cy, y), tf.add(cx, x), tf.add(cy, y)], -1);
}

/**
 * Generalized intersection over union (GIoU) of each box of a with the box of b in the same row.
 * @param a left, top, right and bottom, `[n, 4]`
 * @param b the same format, `[n, 4]`
 * @returns `[n]`, in [−1, 1]
 *
 * Source: Rezatofighi et al., 2019, algorithm 1.
 */
export function generalizedIou(a: tf.Tensor2D, b: tf.Tensor2D): tf.Tensor1D {
  const count = a.shape[0];
  const corner = (boxes: tf.Tensor, start: number) => tf.slice(boxes, [0, start], [count, 2]);
  const area = (size: tf.Tensor): tf.Tensor =>
    tf.reshape(tf.mul(tf.slice(size, [0, 0], [count, 1]), tf.slice(size, [0, 1], [count, 1])), [count]);
  const size = (boxes: tf.Tensor) => tf.sub(corner(boxes, 2), corner(boxes, 0));
  const shared = area(
    tf.maximum(tf.sub(tf.minimum(corner(a, 2), corner(b, 2)), tf.maximum(corner(a, 0), corner(b, 0))), 0),
  );
  const union = tf.sub(tf.add(area(size(a)), area(size(b))), shared);
  const hull = area(
    tf.maximum(tf.sub(tf.maximum(corner(a, 2), corner(b, 2)), tf.minimum(corner(a, 0), corner(b, 0))), 0),
  );
  return tf.sub(tf.div(shared, union), tf.div(tf.sub(hull, union), hull));
}
