# Computes layer-states.json with PyTorch's encoder layers: python3 make-late-fusion.py
#
# RLIPv1's cross-modal fusion is a stack of these layers with norm_first, and one layer norm for the outputs of all layers.
import json
import os

import torch

torch.manual_seed(0)
WIDTH, HEADS, HIDDEN, LAYERS = 8, 2, 12, 2
layers = torch.nn.ModuleList(
    torch.nn.TransformerEncoderLayer(WIDTH, HEADS, HIDDEN, dropout=0.1, norm_first=True, batch_first=True)
    for _ in range(LAYERS)
).eval()
norm = torch.nn.LayerNorm(WIDTH)
whole = torch.nn.ModuleDict({'layers': layers, 'norm': norm})
queries = torch.randn(2, 4, WIDTH)
labels = torch.randn(2, 3, WIDTH)
hidden = torch.tensor([[0, 0, 1], [0, 1, 0]])
mask = torch.cat([torch.zeros(2, 4), hidden], 1).bool()
with torch.no_grad():
    for parameter in whole.parameters():
        parameter.copy_(parameter + 0.2 * torch.randn_like(parameter))
    x, states = torch.cat([queries, labels], 1), []
    for layer in layers:
        x = layer(x, src_key_padding_mask=mask)
        states.append(norm(x))


def numbers(tensor):
    return [round(value, 7) for value in tensor.flatten().tolist()]


with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'layer-states.json'), 'w') as file:
    json.dump(
        {
            'weights': {name: numbers(value) for name, value in whole.state_dict().items()},
            'queries': numbers(queries),
            'labels': numbers(labels),
            'hidden': hidden.flatten().tolist(),
            'states': [numbers(state) for state in states],
        },
        file,
    )
