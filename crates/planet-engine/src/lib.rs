//! Runs ONNX files.
