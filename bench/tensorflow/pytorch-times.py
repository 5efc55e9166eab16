"""Times the R-Tagger R50 in PyTorch, for `npm run bench:tensorflow -- --python PYTHON`.

The model is the independent implementation of test/model/parity/make-tiny-forward.py, which agrees with the official one at
full size and, as the official one does on a processor, samples with grid_sample. The training step has no dropout and fewer
parts of the loss than the official one: it is a lower bound of the official step.

    python3 pytorch-times.py THREADS ROUNDS TASK...

prints a line of JSON for each task: its name, and wall and processor time in milliseconds of the fastest round after the first.
"""
import importlib.util
import json
import os
import sys
import time

import torch
import torch.nn.functional as F

HERE = os.path.dirname(os.path.abspath(__file__))
path = os.path.join(HERE, '..', '..', 'test', 'model', 'parity', 'make-tiny-forward.py')
spec = importlib.util.spec_from_file_location('forward', path)
forward = importlib.util.module_from_spec(spec)
spec.loader.exec_module(forward)

threads, rounds, tasks = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
torch.set_num_threads(threads)
torch.manual_seed(1)
TAGGER = {**forward.OFFICIAL, **forward.TAGGER, 'hidden': 1024, 'fusion': forward.fusion('glip', 2, 2048, 8)}


class Model(forward.Model):
    """Keeps its weights, so that they can be trained; frozen parts as in DETR."""

    def __init__(self):
        super().__init__(TAGGER, 'bench', torch.float32)
        self.weights = {}

    def weight(self, name, *shape):
        if name not in self.weights:
            fan = 1
            for size in shape[1:]:
                fan *= size
            frozen = any(part in name for part in ('backbone.0.body.conv1', 'backbone.0.body.bn', 'backbone.0.body.layer1', '.bn', 'downsample.1'))
            if len(shape) == 1:
                made = torch.ones(shape) if name.endswith(('running_var', 'weight')) else torch.zeros(shape)
                if name.endswith('sampling_offsets.bias'):
                    made = torch.empty(shape).uniform_(-2, 2)
            else:
                made = torch.empty(shape).uniform_(-1, 1) * (3 / fan) ** 0.5
            self.weights[name] = made.requires_grad_(not frozen)
        return self.weights[name]


def measure(name, work, times=1):
    """The first round is a warm-up. Work that is short runs several times a round."""
    rows = []
    for k in range(rounds + 1):
        start = time.perf_counter(), time.process_time()
        for _ in range(times):
            work()
        rows.append([1000 * (time.perf_counter() - start[0]) / times, 1000 * (time.process_time() - start[1]) / times])
    wall, processor = (min(row[k] for row in rows[1:]) for k in (0, 1))
    print(json.dumps({'name': name, 'wall': wall, 'processor': processor}), flush=True)


def product():
    a, b = torch.randn(1024, 1024), torch.randn(1024, 1024)
    measure('product', lambda: a @ b, 10)


def image(height, width):
    return torch.rand(3, height, width) * 2 - 1


def texts():
    at = torch.arange(100)
    return torch.stack([torch.zeros_like(at), 500 + at, 600 + at, torch.full_like(at, 2)], 1)


def pairs():
    boxes = lambda: torch.cat([0.25 + 0.5 * torch.rand(100, 2), 0.1 + 0.3 * torch.rand(100, 2)], 1)
    labels = lambda: torch.randint(0, 80, (100,))
    return [{'sub_boxes': boxes(), 'obj_boxes': boxes(), 'sub_labels': labels(), 'obj_labels': labels()}]


def labels():
    model, ids = Model(), texts()
    with torch.no_grad():
        measure('labels', lambda: model.encode_texts(ids))


def encoder():
    model, pixels, vectors = Model(), image(800, 1066), torch.randn(100, 768)
    with torch.no_grad():
        measure('encoder', lambda: model.encode([pixels], vectors))


def decoders(groups):
    model, pixels, vectors = Model(), image(800, 1066), torch.randn(100, 768)
    with torch.no_grad():
        memory = model.encode([pixels], vectors)
        # The official code repeats the image for each group.
        for name in ('tokens', 'mask', 'ratios'):
            memory[name] = memory[name].repeat(groups, *[1] * (memory[name].dim() - 1))
        memory['texts'] = memory['texts'].repeat(1, groups, 1, 1)
        measure(f'decoders{groups}', lambda: model.decode(memory, 81, pairs() * groups), 3)


def focal(logits, targets):
    chance = logits.sigmoid()
    loss = F.binary_cross_entropy_with_logits(logits, targets, reduction='none')
    right = chance * targets + (1 - chance) * (1 - targets)
    weight = 0.25 * targets + 0.75 * (1 - targets)
    return (weight * (1 - right) ** 2 * loss).sum() / 100


def step():
    model, pixels, ids, given = Model(), image(480, 640), texts(), pairs()
    targets = (torch.rand(1, 100, 19) < 0.1).float()

    def loss():
        vectors = model.encode_texts(ids)
        layers = model.decode(model.encode([pixels], vectors), 81, given)
        boxes = sum((layer[f'pred_{side}_boxes'] - given[0][f'{side}_boxes']).abs().sum() for layer in layers for side in ('sub', 'obj'))
        return sum(focal(layer['pred_verb_logits'], targets) for layer in layers) + boxes / 100

    with torch.no_grad():
        loss()
    trained = [weight for weight in model.weights.values() if weight.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-5, weight_decay=1e-4)
    average = [weight.detach().clone() for weight in trained]

    def train():
        optimizer.zero_grad()
        loss().backward()
        torch.nn.utils.clip_grad_norm_(trained, 0.1)
        optimizer.step()
        with torch.no_grad():
            torch._foreach_lerp_(average, trained, 1e-4)

    measure('step', train)


TASKS = {'product': product, 'labels': labels, 'encoder': encoder, 'step': step,
         'decoders1': lambda: decoders(1), 'decoders4': lambda: decoders(4)}
for task in tasks:
    TASKS[task]()
