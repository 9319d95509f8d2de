"""Speed and memory against peers: ``python -m benchmarks``. One BLAS thread, for everybody."""

import os

# Read by BLAS when numpy and torch load, hence set before anything imports them; kernels inherit them.
for _variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_variable] = "1"
