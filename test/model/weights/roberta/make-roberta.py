# Writes the weights and pooled.json in this folder, with PyTorch and Hugging Face's transformers: python3 make-roberta.py
import json
import os

import torch
from transformers import RobertaConfig, RobertaForMaskedLM, RobertaModel

torch.manual_seed(0)
config = RobertaConfig(
    vocab_size=20,
    hidden_size=8,
    num_hidden_layers=2,
    num_attention_heads=2,
    intermediate_size=16,
    max_position_embeddings=10,
    type_vocab_size=1,
    layer_norm_eps=1e-5,
    pad_token_id=1,
)
model = RobertaModel(config, add_pooling_layer=True).eval()
with torch.no_grad():
    # Initially, all norms and all biases have the same values.
    for parameter in model.parameters():
        parameter.copy_(parameter + 0.3 * torch.randn_like(parameter))
ids = torch.tensor([[0, 5, 6, 7, 2], [0, 9, 2, 1, 1], [0, 19, 3, 2, 1]])
with torch.no_grad():
    pooled = model(input_ids=ids, attention_mask=(ids != 1).long()).pooler_output

# `model.safetensors` is a saved RobertaModel; `pytorch_model.bin` is like the published roberta-base, a masked language
# model, which has a head and no pooler.
here = os.path.dirname(os.path.abspath(__file__))
model.save_pretrained(here)
os.remove(os.path.join(here, 'config.json'))
masked = RobertaForMaskedLM(config)
masked.roberta.load_state_dict(model.state_dict(), strict=False)
torch.save(masked.state_dict(), os.path.join(here, 'pytorch_model.bin'))
with open(os.path.join(here, 'pooled.json'), 'w') as file:
    json.dump({'ids': ids.tolist(), 'pooled': [[round(x, 7) for x in row] for row in pooled.tolist()]}, file)
