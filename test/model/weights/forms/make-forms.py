# Writes the checkpoints in this folder and truth.json, with PyTorch 2.15 and NumPy 2.4: python3 make-forms.py
import argparse, collections, datetime, json, os, pathlib, types
import numpy as np, torch
from torch import nn

torch.manual_seed(0)
truth = {}


def weights():
    return collections.OrderedDict(a=torch.randn(2, 3), b=torch.randn(4).double(), count=torch.tensor(7))


def prefixed(prefix, values):
    return collections.OrderedDict((prefix + name, value) for name, value in values.items())


def save(name, value, expected=None, **options):
    torch.save(value, f'{name}.pth', **options)
    if expected is not None:
        truth[name] = {k: [list(v.shape), [float(x) for x in v.float().flatten()]] for k, v in expected.items()}


model = nn.Sequential(nn.Linear(2, 2))
optimizer = torch.optim.AdamW(model.parameters())
model(torch.ones(1, 2)).sum().backward()
optimizer.step()
plain = {
    'optimizer': optimizer.state_dict(),
    'lr_scheduler': torch.optim.lr_scheduler.MultiStepLR(optimizer, [2, 5]).state_dict(),
    'args': argparse.Namespace(folder=pathlib.PurePosixPath('logs'), lr=1e-4, big=2**70),
    'sets': [{1, 2}, frozenset([3]), set()],
    'dictionaries': [collections.Counter('ab'), collections.defaultdict(list, x=[1]), types.SimpleNamespace(x=1)],
    'numpy': [np.float64(3.5), np.int64(2), np.arange(6.0).reshape(2, 3), np.array(['a']), np.dtype('f4'), np.bool_(True)],
    'torch': [torch.Size([2, 3]), torch.float16, torch.device('cpu'), torch.get_rng_state()[:8].clone(), torch.strided],
    'python': [1 + 2j, b'\x00\xff', range(3), slice(1, 2), datetime.datetime(2026, 1, 1), (1, (2, (3, 4, 5, 6))), None],
}
for protocol in (1, 2, 5):
    values = weights()
    save(f'plain-{protocol}', {'model': values, **plain}, values, pickle_protocol=protocol)
values = weights()
save('old', {'model': values, **plain}, values, _use_new_zipfile_serialization=False)
values = weights()
save('mixed', {'model': prefixed('module.', values) | {'n_averaged': torch.tensor(2), 'version': 3, 'mean': np.ones(2)}},
     values | {'n_averaged': torch.tensor(2)})
values = weights()
save('compiled', prefixed('_orig_mod.module.', values), values)
values = weights()
save('lightning', {'state_dict': prefixed('model.', values), 'loops': {}, 'pytorch-lightning_version': '2.0'}, values)
values = weights()
save('net', {'net': values, 'epoch': 3}, values)
average = weights()
save('ema', {'ema': {'module': average, 'updates': 5}}, average)
save('with-average', {'model': values, 'model_ema': average}, values)
save('several', {'generator': values, 'discriminator': average})
save('list', [3, [values]], values)
base = torch.randn(6, 4)
views = {'t': base.t(), 's': base[1:4, 2:], 'step': base[::2, ::3], 'e': base[:, :1].expand(6, 20), 'z': torch.zeros(3, 0)}
save('views', views, views)
save('old-views', views, views, _use_new_zipfile_serialization=False)
eight = torch.arange(256).to(torch.uint8)
small = {
    'e4m3': eight.view(torch.float8_e4m3fn)[:127], 'e5m2': eight.view(torch.float8_e5m2)[:120],
    'u16': torch.tensor([1, 60000]).to(torch.uint16), 'u32': torch.tensor([1, 2**24]).to(torch.uint32),
    'u64': torch.tensor([1, 2**40]).to(torch.uint64),
}
save('small-types', small, small)
save('sparse', {'a': torch.eye(2).to_sparse()})
save('complex', {'a': torch.ones(2, dtype=torch.complex64)})
save('negative', {'a': torch.ones(2, dtype=torch.complex64).conj().imag})
save('module', model)


class Hostile:
    def __reduce__(self):
        return (os.system, ('touch pwned',))


save('old-hostile', {'model': values, 'x': Hostile()}, _use_new_zipfile_serialization=False)
with open('truth.json', 'w') as file:
    json.dump(truth, file)
