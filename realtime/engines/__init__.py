"""Adapters to the models: blocking code, called from worker threads, that knows nothing of sessions or sockets."""

import os

# Before onnxruntime is imported, which since 1.32 collects data of the machine and of models for its maker otherwise.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
