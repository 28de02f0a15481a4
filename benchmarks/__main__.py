"""Run all benchmarks, each in a process of its own so that none inherits another's memory.

``python -m benchmarks [NAME …] [options of that benchmark]``
"""

import subprocess
import sys
from pathlib import Path


def main() -> int:
    """The number of benchmarks that failed."""
    names = sorted(p.stem for p in Path(__file__).parent.glob("[a-z]*.py") if p.stem != "setting")
    asked = [argument for argument in sys.argv[1:] if argument in names]
    options = [argument for argument in sys.argv[1:] if argument not in names]
    commands = [[sys.executable, "-m", f"benchmarks.{name}", *options] for name in asked or names]
    return sum(subprocess.run(command).returncode != 0 for command in commands)


if __name__ == "__main__":
    sys.exit(main())
