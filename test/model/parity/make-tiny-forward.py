"""Computes tiny-forward.json: outputs of two tiny RLIPv2 models, in PyTorch and double precision.

    pip install torch numpy
    python3 make-tiny-forward.py                 # writes tiny-forward.json; then: npx biome check --write test/model
    python3 make-tiny-forward.py --check FOLDER  # compares this implementation with the official model's numbers

This is an independent implementation of RLIPv2's forward pass. It shares no code with relflow: it follows the papers and
a specification of the official model, and uses PyTorch's convolution, normalization, multi-head attention and
grid_sample. --check runs it at full size on a folder of parity vectors (see docs/model.md), which the official code
computed, and prints the largest differences: 5.5e-6 for the R-Tagger and for ParSeDA, with PyTorch 2.15 in float32.

Weights, images and boxes are computed by a formula from their names (bench/parity/formula-weights.ts), so that the
fixture contains only the expected outputs.
"""
import json
import math
import os
import sys

import numpy as np
import torch
import torch.nn.functional as F

HERE = os.path.dirname(os.path.abspath(__file__))
UNIT = ('level_embed', 'query_embed.weight', 'verb_query_embed.weight', 'verb_tgt.weight', 'tgt_embed.weight',
        'verb_tgt_embed.weight', 'refpoint_embed.weight')


def draws(text, count):
    """The first draws of mulberry32 in [0, 1), seeded by the 32-bit FNV-1a hash of a text."""
    seed = 0x811C9DC5
    for byte in text.encode():
        seed = ((seed ^ byte) * 0x01000193) & 0xFFFFFFFF
    index = np.arange(1, count + 1, dtype=np.uint32)
    with np.errstate(over='ignore'):
        state = np.uint32(seed) + index * np.uint32(0x6D2B79F5)
        mixed = (state ^ (state >> np.uint32(15))) * (state | np.uint32(1))
        mixed ^= mixed + (mixed ^ (mixed >> np.uint32(7))) * (mixed | np.uint32(61))
    return (mixed ^ (mixed >> np.uint32(14))).astype(np.float64) / 2**32


def formula_weight(salt, name, shape):
    if name.endswith('running_var'):
        offset, scale = 1, 0.2
    elif name.endswith('running_mean'):
        offset, scale = 0, 0.05
    elif name.endswith(('gamma_v', 'gamma_l')):
        offset, scale = 0.25, 0.05
    elif name.endswith('sampling_offsets.bias'):
        offset, scale = 0, 2
    elif len(shape) == 1:
        offset, scale = (1, 0.1) if name.endswith('weight') else (0, 0.05)
    elif name.endswith(UNIT):
        offset, scale = 0, 1
    elif '_embeddings.weight' in name:
        offset, scale = 0, 0.5
    else:
        offset, scale = 0, math.sqrt(3 / math.prod(shape[1:]))
    values = offset + scale * (2 * draws(f'{salt}:{name}', math.prod(shape)) - 1)
    return torch.from_numpy(values.astype(np.float32).reshape(shape))


class Model:
    """RLIPv2 with weights by formula. Tensors have PyTorch's layouts; b images, s tokens, t labels, n queries, c channels."""

    def __init__(self, config, salt, dtype):
        self.config, self.salt, self.dtype = config, salt, dtype

    def weight(self, name, *shape):
        return formula_weight(self.salt, name, shape).to(self.dtype)

    def linear(self, x, name, outputs):
        return F.linear(x, self.weight(f'{name}.weight', outputs, x.shape[-1]), self.weight(f'{name}.bias', outputs))

    def layer_norm(self, x, name, eps=1e-5):
        width = x.shape[-1]
        return F.layer_norm(x, (width,), self.weight(f'{name}.weight', width), self.weight(f'{name}.bias', width), eps)

    def mlp(self, x, name, *widths):
        for k, width in enumerate(widths):
            x = self.linear(x, f'{name}.layers.{k}', width)
            x = x.relu() if k < len(widths) - 1 else x
        return x

    # Backbone and feature levels.

    def convolution(self, x, convolution, norm, outputs, size, stride=1):
        name = f'backbone.0.body.{norm}'
        x = F.conv2d(x, self.weight(f'backbone.0.body.{convolution}.weight', outputs, x.shape[1], size, size),
                     stride=stride, padding=size // 2)
        parts = [self.weight(f'{name}.{part}', outputs) for part in ('running_mean', 'running_var', 'weight', 'bias')]
        return F.batch_norm(x, *parts, training=False, eps=1e-5)

    def resnet(self, x):
        stem, width, depths = self.config['stem'], self.config['backbone_width'], self.config['depths']
        x = F.max_pool2d(self.convolution(x, 'conv1', 'bn1', stem, 7, 2).relu(), 3, 2, 1)
        maps = []
        for stage, depth in enumerate(depths):
            inside = width * 2**stage
            for k in range(depth):
                at, stride = f'layer{stage + 1}.{k}', 2 if k == 0 and stage > 0 else 1
                y = self.convolution(x, f'{at}.conv1', f'{at}.bn1', inside, 1).relu()
                y = self.convolution(y, f'{at}.conv2', f'{at}.bn2', inside, 3, stride).relu()
                y = self.convolution(y, f'{at}.conv3', f'{at}.bn3', 4 * inside, 1)
                if stride > 1 or x.shape[1] != 4 * inside:
                    x = self.convolution(x, f'{at}.downsample.0', f'{at}.downsample.1', 4 * inside, 1, stride)
                x = (x + y).relu()
            maps.append(x)
        return maps[1:]

    def levels(self, maps):
        width, out = self.config['width'], []
        for k in range(self.config['levels']):
            x, size = (maps[k], 1) if k < len(maps) else ((maps[-1] if k == len(maps) else out[-1]), 3)
            x = F.conv2d(x, self.weight(f'input_proj.{k}.0.weight', width, x.shape[1], size, size),
                         self.weight(f'input_proj.{k}.0.bias', width), stride=1 if size == 1 else 2, padding=size // 2)
            out.append(F.group_norm(x, min(32, width), self.weight(f'input_proj.{k}.1.weight', width),
                                    self.weight(f'input_proj.{k}.1.bias', width), 1e-5))
        return out

    # Text.

    def roberta_layer(self, x, name, heads, hidden, mask=None):
        b, n, c = x.shape
        q, k, v = (self.linear(x, f'{name}.attention.self.{part}', c).view(b, n, heads, -1).transpose(1, 2)
                   for part in ('query', 'key', 'value'))
        scores = q @ k.transpose(2, 3) / math.sqrt(c / heads)
        scores = scores if mask is None else scores + mask
        read = (scores.softmax(-1) @ v).transpose(1, 2).reshape(b, n, c)
        x = self.layer_norm(self.linear(read, f'{name}.attention.output.dense', c) + x, f'{name}.attention.output.LayerNorm')
        y = self.linear(F.gelu(self.linear(x, f'{name}.intermediate.dense', hidden)), f'{name}.output.dense', c)
        return self.layer_norm(y + x, f'{name}.output.LayerNorm')

    def encode_texts(self, ids):
        text, name = self.config['text'], 'transformer.text_encoder'
        valid = ids != 1
        positions = torch.where(valid, 1 + valid.cumsum(1), 1)
        tables = [('word', text['vocabulary'], ids), ('position', text['positions'], positions),
                  ('token_type', 1, torch.zeros_like(ids))]
        x = sum(self.weight(f'{name}.embeddings.{part}_embeddings.weight', rows, text['width'])[at] for part, rows, at in tables)
        x = self.layer_norm(x, f'{name}.embeddings.LayerNorm')
        mask = (~valid).to(self.dtype)[:, None, None] * -10000
        for k in range(text['layers']):
            x = self.roberta_layer(x, f'{name}.encoder.layer.{k}', text['heads'], text['hidden'], mask)
        return self.linear(x[:, 0], f'{name}.pooler.dense', text['width']).tanh()

    # Encoder.

    def positions(self, masks):
        width = self.config['width']
        divisor = 10000 ** (2 * torch.arange(width // 2, dtype=self.dtype).div(2, rounding_mode='floor') / (width // 2))
        out = []
        for k, mask in enumerate(masks):
            valid = (~mask).to(self.dtype)
            axes = []
            for axis in (1, 2):
                count = valid.cumsum(axis)
                angle = count / (count.narrow(axis, -1, 1) + 1e-6) * 2 * math.pi
                angle = angle[..., None] / divisor
                axes.append(torch.stack([angle[..., 0::2].sin(), angle[..., 1::2].cos()], -1).flatten(-2))
            level = self.weight('transformer.level_embed', self.config['levels'], width)[k]
            out.append(torch.cat(axes, -1).flatten(1, 2) + level)
        return torch.cat(out, 1)

    def deformable(self, query, references, tokens, mask, sizes, name):
        """references [b, n, levels, 2 or 4]"""
        heads, points, levels, width = (self.config[key] for key in ('heads', 'points', 'levels', 'width'))
        b, n, _ = query.shape
        value = self.linear(tokens, f'{name}.value_proj', width).masked_fill(mask[..., None], 0)
        value = value.view(b, -1, heads, width // heads)
        offsets = self.linear(query, f'{name}.sampling_offsets', heads * levels * points * 2)
        offsets = offsets.view(b, n, heads, levels, points, 2)
        weights = self.linear(query, f'{name}.attention_weights', heads * levels * points)
        weights = weights.view(b, n, heads, -1).softmax(-1).view(b, n, heads, levels, points)
        read = 0
        start = 0
        for level, (h, w) in enumerate(sizes):
            at = references[:, :, None, level, None]
            offset = offsets[:, :, :, level]
            if at.shape[-1] == 2:
                where = at + offset / torch.tensor([w, h], dtype=self.dtype)
            else:
                where = at[..., :2] + offset / points * at[..., 2:] * 0.5
            part = value[:, start:start + h * w].permute(0, 2, 3, 1).reshape(b * heads, -1, h, w)
            where = where.permute(0, 2, 1, 3, 4).reshape(b * heads, n, points, 2)
            sampled = F.grid_sample(part, 2 * where - 1, 'bilinear', 'zeros', False)
            share = weights[:, :, :, level].permute(0, 2, 1, 3).reshape(b * heads, 1, n, points)
            read = read + (sampled * share).sum(-1)
            start += h * w
        return self.linear(read.view(b, width, n).transpose(1, 2), f'{name}.output_proj', width)

    def feed_forward(self, x, name, norm):
        y = self.linear(self.linear(x, f'{name}.linear1', self.config['hidden']).relu(), f'{name}.linear2', x.shape[-1])
        return self.layer_norm(x + y, f'{name}.{norm}')

    def fuse(self, v, l, position, mask, name):
        """Image tokens v and labels l attend to each other; mask [b, tokens] is padding, or None."""
        config = self.config['fusion']
        width, heads = config['width'], config['heads']
        v, l = self.layer_norm(v, f'{name}.layer_norm_v'), self.layer_norm(l, f'{name}.layer_norm_l')

        def split(x, part):
            x = self.linear(x, f'{name}.attn.{part}', width)
            return x.view(x.shape[0], -1, heads, width // heads).transpose(1, 2)

        scores = split(v + position, 'v_proj') @ split(l, 'l_proj').transpose(2, 3) / math.sqrt(width / heads)
        to_tokens = scores.transpose(2, 3)
        if mask is not None:
            to_tokens = to_tokens.masked_fill(mask[:, None, None], -math.inf)
        join = lambda x: x.transpose(1, 2).flatten(2)
        dv = self.linear(join(scores.softmax(-1) @ split(l, 'values_l_proj')), f'{name}.attn.out_v_proj', v.shape[-1])
        dl = self.linear(join(to_tokens.softmax(-1) @ split(v, 'values_v_proj')), f'{name}.attn.out_l_proj', l.shape[-1])
        gates = [self.weight(f'{name}.gamma_v', v.shape[-1]), self.weight(f'{name}.gamma_l', l.shape[-1])]
        gate_v, gate_l = [gate[0] for gate in gates] if config['gate'] == 'vxac' else gates
        return v + gate_v * dv, l + gate_l * dl

    def encode(self, images, vectors):
        """images: list of [3, h, w]"""
        config, stages = self.config, {}
        height, width = (max(image.shape[k] for image in images) for k in (1, 2))
        canvas = torch.zeros(len(images), 3, height, width, dtype=self.dtype)
        padding = torch.ones(len(images), height, width, dtype=torch.bool)
        for k, image in enumerate(images):
            canvas[k, :, :image.shape[1], :image.shape[2]] = image
            padding[k, :image.shape[1], :image.shape[2]] = False
        maps = self.levels(self.resnet(canvas))
        for k, level in enumerate(maps):
            stages[f'input_proj{k}'] = level
        masks = [F.interpolate(padding[None].float(), size=level.shape[2:])[0].bool() for level in maps]
        sizes = [tuple(level.shape[2:]) for level in maps]
        tokens = torch.cat([level.flatten(2).transpose(1, 2) for level in maps], 1)
        mask = torch.cat([level.flatten(1) for level in masks], 1)
        position = self.positions(masks)
        # x before y
        ratios = torch.stack([torch.stack([(~level[:, 0]).sum(1) / level.shape[2], (~level[:, :, 0]).sum(1) / level.shape[1]], -1)
                              for level in masks], 1).to(self.dtype)
        points = []
        for k, (h, w) in enumerate(sizes):
            y, x = torch.meshgrid(torch.arange(h, dtype=self.dtype) + 0.5, torch.arange(w, dtype=self.dtype) + 0.5, indexing='ij')
            grid = torch.stack([x.flatten() / w, y.flatten() / h], -1)
            points.append(grid[None] / ratios[:, k, None])
        references = torch.cat(points, 1)[:, :, None] * ratios[:, None]
        name = 'transformer.' + ('encoder' if config['queries'] == 'parseda' else 'ho_encoder')
        last = sizes[-1][0] * sizes[-1][1]
        labels, states = vectors[None].repeat(len(images), 1, 1), []
        fused_mask = None if config['official'] else mask[:, -last:]
        for k in range(config['encoder_layers']):
            if k % config['fusion']['interval'] == 0:
                f = k // config['fusion']['interval']
                fused, labels = self.fuse(tokens[:, -last:], labels, position[:, -last:], fused_mask, f'{name}.VLFuse_layers.{f}.b_attn')
                stages[f'fusion{f}.vision'] = fused
                tokens = torch.cat([tokens[:, :-last], fused], 1)
                labels = self.roberta_layer(labels, f'{name}.roberta_layers.{f}', config['text']['heads'], config['text']['hidden'])
                states.append(labels)
            at = f'{name}.layers.{k}'
            read = self.deformable(tokens + position, references, tokens, mask, sizes, f'{at}.self_attn')
            tokens = self.feed_forward(self.layer_norm(tokens + read, f'{at}.norm1'), at, 'norm2')
            stages[f'encoder_layer{k}'] = tokens
        texts = torch.stack([self.layer_norm(self.linear(state, 'transformer.resizer.fc', config['width']),
                                             'transformer.resizer.layer_norm', 1e-12) for state in states])
        assert len(states) == config['decoder_layers']
        return {'tokens': tokens, 'mask': mask, 'sizes': sizes, 'ratios': ratios, 'texts': texts, 'stages': stages}

    # Decoders.

    def decoder(self, memory, name, content, position, boxes, key_mask, references_of, refine):
        """boxes: (subject, object), [b, n, 2 or 4] each; returns states and boxes of each layer."""
        width, heads = self.config['width'], self.config['heads']
        states, found = [], []
        for k in range(self.config['decoder_layers']):
            at = f'{name}.layers.{k}'
            reference = references_of(boxes)
            ratios = memory['ratios'] if reference.shape[-1] == 2 else memory['ratios'].repeat(1, 1, 2)
            reference = reference[:, :, None] * ratios[:, None]
            if self.config['queries'] == 'parseda':
                raw = self.mlp(sine_of_boxes(reference[:, :, 0], width // 2), f'{name}.ref_point_head', width, width)
                position = raw if k == 0 else self.mlp(content, f'{name}.query_scale', width, width) * raw
            qk = (content + position).transpose(0, 1)
            read = F.multi_head_attention_forward(
                qk, qk, content.transpose(0, 1), width, heads, self.weight(f'{at}.self_attn.in_proj_weight', 3 * width, width),
                self.weight(f'{at}.self_attn.in_proj_bias', 3 * width), None, None, False, 0.0,
                self.weight(f'{at}.self_attn.out_proj.weight', width, width), self.weight(f'{at}.self_attn.out_proj.bias', width),
                training=False, key_padding_mask=key_mask, need_weights=False)[0].transpose(0, 1)
            content = self.layer_norm(content + read, f'{at}.norm2')
            read = self.deformable(content + position, reference, memory['tokens'], memory['mask'], memory['sizes'], f'{at}.cross_attn')
            content = self.feed_forward(self.layer_norm(content + read, f'{at}.norm1'), at, 'norm3')
            boxes = refine(k, content, boxes)
            states.append(content)
            found.append(boxes)
        return states, found

    def box_head(self, side, k, state, reference):
        change = self.mlp(state, f'{side}_bbox_embed.{k}', self.config['width'], self.config['width'], 4)
        if reference.shape[-1] == 2:
            reference = torch.cat([inverse_sigmoid(reference), torch.zeros_like(reference)], -1)
            return (change + reference).sigmoid()
        return (change + inverse_sigmoid(reference)).sigmoid()

    def multi_branch_fusion(self, a, b):
        width, branches, name = self.config['width'], self.config['branches'], 'transformer.verb_tgt_generator'
        return sum(self.linear((self.linear(a, f'{name}.fc_1.{k}', width // branches) * self.linear(b, f'{name}.fc_2.{k}', width // branches)).relu(),
                               f'{name}.fc_3.{k}', width) for k in range(branches)).relu()

    def decode(self, memory, objects, pairs=None):
        """pairs: one per image, with sub_boxes, obj_boxes [n, 4] and sub_labels, obj_labels [n]"""
        config = self.config
        width, count, layers = config['width'], config['pairs'], config['decoder_layers']
        images = memory['tokens'].shape[0]
        key_mask = position = None
        if config['queries'] == 'tagger':
            position = torch.zeros(images, 2 * count, width, dtype=self.dtype)
            content = torch.zeros_like(position)
            key_mask = torch.ones(images, 2 * count, dtype=torch.bool)
            labels = memory['texts'][-1][:, :objects]
            for image, pair in enumerate(pairs[:images]):
                for start, side in ((0, 'sub'), (count, 'obj')):
                    end = start + len(pair[f'{side}_labels'])
                    position[image, start:end] = self.linear(inverse_sigmoid(pair[f'{side}_boxes'].to(self.dtype)), 'transformer.coord_proj', width)
                    content[image, start:end] = labels[image, pair[f'{side}_labels']]
                    key_mask[image, start:end] = False
            boxes = tuple(self.linear(part, f'transformer.reference_points_{side}', 2).sigmoid()
                          for side, part in zip(('sub', 'obj'), position.split(count, 1)))
            verbs = self.weight('transformer.verb_tgt.weight', 2 * count, width)
        else:
            content = self.weight('tgt_embed.weight', 2 * count, width)[None].repeat(images, 1, 1)
            boxes = self.weight('refpoint_embed.weight', 2 * count, 4).sigmoid()[None].repeat(images, 1, 1).split(count, 1)
            verbs = self.weight('verb_tgt_embed.weight', 2 * count, width)

        def refine_pairs(k, state, boxes):
            return tuple(self.box_head(side, k, part, box) for side, part, box in zip(('sub', 'obj'), state.split(count, 1), boxes))

        def refine_verbs(k, state, boxes):
            return tuple(self.box_head(side, layers + k, state, box) for side, box in zip(('sub', 'obj'), boxes))

        states, found = self.decoder(memory, 'transformer.ho_decoder', content, position, boxes, key_mask,
                                     lambda boxes: torch.cat(boxes, 1), refine_pairs)
        subject, object = states[-1].split(count, 1)
        content = (verbs[:count] + verbs[count:])[None].repeat(images, 1, 1)
        if config['verb_query'] == 'vanilla-mbf':
            content = content + self.multi_branch_fusion(subject, object)
        verb_states, _ = self.decoder(memory, 'transformer.verb_decoder', content, subject + object, found[-1],
                                      None if key_mask is None else key_mask[:, :count],
                                      lambda boxes: (boxes[0] + boxes[1]) / 2, refine_verbs)
        outputs = []
        for state, verb, (subject_box, object_box), text in zip(states, verb_states, found, memory['texts']):
            text = self.linear(F.normalize(text, dim=-1) / 2, 'projection_text', width)
            score = lambda x, bias, part: (x + self.weight(bias, width)) @ part.transpose(1, 2) - math.log(99)
            subject, object = state.split(count, 1)
            outputs.append({
                'pred_sub_logits': score(subject, 'bias_obj_a', text[:, :objects]),
                'pred_obj_logits': score(object, 'bias_obj_a', text[:, :objects]),
                'pred_verb_logits': score(verb, 'bias_pred_a', text[:, objects:]),
                'pred_sub_boxes': subject_box,
                'pred_obj_boxes': object_box,
            })
        return outputs


def inverse_sigmoid(x):
    x = x.clamp(0, 1)
    return (x.clamp(min=1e-5) / (1 - x).clamp(min=1e-5)).log()


def sine_of_boxes(boxes, width):
    divisor = 10000 ** (2 * torch.arange(width, dtype=boxes.dtype).div(2, rounding_mode='floor') / width)
    parts = []
    for k in (1, 0, 2, 3):
        angle = boxes[..., k, None] * 2 * math.pi / divisor
        parts.append(torch.stack([angle[..., 0::2].sin(), angle[..., 1::2].cos()], -1).flatten(-2))
    return torch.cat(parts, -1)


TINY = {
    'stem': 8, 'backbone_width': 8, 'depths': [1, 1, 1, 1], 'width': 32, 'heads': 4, 'hidden': 64, 'levels': 4, 'points': 2,
    'encoder_layers': 2, 'decoder_layers': 2, 'pairs': 4, 'branches': 4,
    'text': {'layers': 2, 'width': 48, 'heads': 4, 'hidden': 96, 'vocabulary': 260, 'positions': 66},
}
OFFICIAL = {
    'stem': 64, 'backbone_width': 64, 'depths': [3, 4, 6, 3], 'width': 256, 'heads': 8, 'levels': 4, 'points': 4,
    'encoder_layers': 6, 'decoder_layers': 3, 'pairs': 100, 'branches': 16, 'official': True,
    'text': {'layers': 12, 'width': 768, 'heads': 12, 'hidden': 3072, 'vocabulary': 50265, 'positions': 514},
}
TAGGER = {'queries': 'tagger', 'verb_query': 'vanilla'}
PARSEDA = {'queries': 'parseda', 'verb_query': 'vanilla-mbf'}


def fusion(gate, interval, width, heads):
    return {'gate': gate, 'interval': interval, 'width': width, 'heads': heads}


# Inputs of the tiny models: two images of different sizes, five labels (three objects, two relations), and pairs of boxes.
SALT = 'tiny'
OBJECTS = 3
SIZES = [(64, 160), (128, 64)]  # padded at every level
IDS = [[0, 70, 71, 2], [0, 80, 2, 1], [0, 90, 91, 2], [0, 99, 2, 1], [0, 5, 2, 1]]
LABELS = [([0, 1, 0], [1, 1, 0]), ([1, 0], [0, 1])]


def tiny_inputs(dtype):
    images = [torch.from_numpy((4 * draws(f'{SALT}:image{k}', 3 * h * w) - 2).astype(np.float32).reshape(3, h, w)).to(dtype)
              for k, (h, w) in enumerate(SIZES)]
    pairs = []
    for image, labels in enumerate(LABELS):
        pair = {}
        for side, of_side in zip(('sub', 'obj'), labels):
            numbers = 0.1 + 0.6 * draws(f'{SALT}:{side}_boxes{image}', 4 * len(of_side))
            pair[f'{side}_boxes'] = torch.from_numpy(numbers.astype(np.float32).reshape(-1, 4))
            pair[f'{side}_labels'] = torch.tensor(of_side)
        pairs.append(pair)
    return images, torch.tensor(IDS), pairs


def numbers(tensor):
    return [round(value, 6) for value in tensor.flatten().tolist()]


def write_tiny():
    images, ids, pairs = tiny_inputs(torch.float64)
    cases = {
        # The default of relflow: the fusion masks padding.
        'tagger': {**TINY, **TAGGER, 'fusion': fusion('glip', 1, 64, 4), 'official': False},
        # The official behavior: the fusion attends to padding.
        'parseda': {**TINY, **PARSEDA, 'fusion': fusion('vxac', 1, 64, 4), 'official': True},
    }
    result = {}
    for name, config in cases.items():
        model = Model(config, SALT, torch.float64)
        vectors = model.encode_texts(ids)
        memory = model.encode(images, vectors)
        result[name] = {
            'vectors': numbers(vectors[:, :4]),
            'memory': numbers(memory['tokens'][:, ::61, :4]),
            'labels': numbers(memory['texts'][..., :4]),
            'layers': [{key: numbers(value) for key, value in layer.items()} for layer in model.decode(memory, OBJECTS, pairs)],
        }
    with open(os.path.join(HERE, 'tiny-forward.json'), 'w') as file:
        json.dump(result, file, separators=(',', ':'))
        file.write('\n')


def read_safetensors(path):
    types = {'F32': np.float32, 'I32': np.int32}
    with open(path, 'rb') as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), 'little')))
        data = file.read()
    return {name: torch.from_numpy(np.frombuffer(data[slice(*entry['data_offsets'])], types[entry['dtype']]).reshape(entry['shape']).copy())
            for name, entry in header.items() if name != '__metadata__'}


def check(folder):
    inputs = read_safetensors(os.path.join(folder, 'inputs.safetensors'))
    with open(os.path.join(folder, 'inputs.json')) as file:
        about = json.load(file)
    pairs = [{key: inputs[f'pairs{k}.{key}'].long() if 'labels' in key else inputs[f'pairs{k}.{key}']
              for key in ('sub_boxes', 'obj_boxes', 'sub_labels', 'obj_labels')} for k in (1, 2)]
    cases = {
        'tagger': {**OFFICIAL, **TAGGER, 'hidden': 1024, 'fusion': fusion('glip', 2, 2048, 8)},
        'parseda': {**OFFICIAL, **PARSEDA, 'hidden': 2048, 'fusion': fusion('vxac', 2, 2048, 8)},
    }
    for name, config in cases.items():
        expected = read_safetensors(os.path.join(folder, f'{name}.forward.safetensors'))
        model = Model(config, about['salt'], torch.float32)
        vectors = model.encode_texts(inputs['token_ids'].long())
        actual = {'stage.text_pooled': vectors}
        for run, images in (('single', [inputs['image1']]), ('batch', [inputs['image1'], inputs['image2']])):
            memory = model.encode(images, vectors)
            actual[f'{run}.img_memory'] = memory['tokens']
            actual[f'{run}.text_memory'] = memory['texts'].transpose(1, 2)
            if run == 'single':
                actual.update({f'stage.{stage}': value for stage, value in memory['stages'].items()})
            for k, layer in enumerate(model.decode(memory, len(about['objects']), pairs)):
                actual.update({f'{run}.layer{k}.{key}': value for key, value in layer.items()})
        largest = {key: (actual[key] - value).abs().max().item() for key, value in expected.items()}
        worst = max(largest, key=largest.get)
        print(f'{name}: {len(largest)} arrays, largest difference {largest[worst]:.1e} ({worst})')


if __name__ == '__main__':
    with torch.no_grad():
        check(sys.argv[2]) if sys.argv[1:2] == ['--check'] else write_tiny()
