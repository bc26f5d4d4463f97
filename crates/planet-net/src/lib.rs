//! A network described as data; the architectures; the ONNX writer.
