"""Models and training runs in the formats of other programs: ONNX, safetensors, PyTorch and TensorBoard.

Must not know how texts are scored or how models are trained. Offers `write_onnx`, `write_safetensors`, `write_torch`
and `EventLog`.
"""
