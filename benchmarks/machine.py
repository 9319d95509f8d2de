"""What the figures were measured on."""

import os
import platform
from pathlib import Path

import numpy as np
import torch

import rnnbow_widget


def facts() -> list[str]:
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return [
        f"rnnbow_widget {rnnbow_widget.__version__}, Python {platform.python_version()}, {platform.platform()}",
        f"{_processor()}, {os.cpu_count()} cores; load average {load}",
        f"numpy {np.__version__} ({blas['name']} {blas['version']}), {os.environ['OPENBLAS_NUM_THREADS']} thread",
        f"torch {torch.__version__} ({torch.backends.cpu.get_cpu_capability()}), {torch.get_num_threads()} thread",
    ]


def _processor() -> str:
    """The processor's name as Linux gives it, else whatever the platform says."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())
