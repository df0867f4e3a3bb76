"""The governed registry: what a model version is, what it must show, and who may move it."""

__version__ = "0.1.0"
