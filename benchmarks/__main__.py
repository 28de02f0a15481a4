"""Run all benchmarks, each in a process of its own so that none inherits another's memory."""

import subprocess
import sys
from pathlib import Path


def main() -> int:
    """The number of benchmarks that failed."""
    names = sorted(p.stem for p in Path(__file__).parent.glob("[a-z]*.py") if p.stem != "setting")
    chosen = [name for name in names if not sys.argv[1:] or name in sys.argv[1:]]
    return sum(subprocess.run([sys.executable, "-m", f"benchmarks.{name}"]).returncode != 0 for name in chosen)


if __name__ == "__main__":
    sys.exit(main())
