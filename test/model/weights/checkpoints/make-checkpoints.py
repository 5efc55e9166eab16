# Writes the checkpoints in this folder, with PyTorch 1.13: python3 make-checkpoints.py
import argparse, collections, json, os, torch

torch.manual_seed(0)
base = torch.randn(10)
arrays = {
    'a.weight': torch.randn(3, 4),
    'b': torch.randn(5, 2).t(),
    'c': torch.arange(6).long(),
    'h': torch.randn(7).half(),
    'bf': torch.randn(4).bfloat16(),
    'v': base[3:7],
    's': torch.tensor(2.5),
    'e': torch.zeros(0, 3),
    'p': torch.nn.Parameter(torch.randn(2, 2)),
    'bool': torch.tensor([True, False]),
    'd': torch.randn(2).double(),
}
model = collections.OrderedDict((f'module.{name}', value) for name, value in arrays.items())
optimizer = {'state': {0: {'step': 1, 'exp_avg': torch.randn(2)}}, 'param_groups': [{'lr': 1.0, 'params': [0]}]}
args = argparse.Namespace(lr=1e-4, epochs=20, name='x', lst=[1, 2], big=2**70, neg=-5, none=None)
torch.save({'model': model, 'optimizer': optimizer, 'epoch': 3, 'args': args}, 'checkpoint.pth')
with open('checkpoint.json', 'w') as file:
    json.dump({k: [list(v.shape), [float(x) for x in v.detach().float().flatten()]] for k, v in arrays.items()}, file)


class Hostile:
    def __reduce__(self):
        return (os.system, ('touch pwned',))


torch.save({'model': {'a': torch.randn(2)}, 'x': Hostile()}, 'hostile.pth')
