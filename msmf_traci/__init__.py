"""msmf-traci: measure container-migration strategies for mobile edge computing on real road traffic."""

from importlib.metadata import version

__version__ = version("msmf-traci")
