"""Let TypeScript check the pages' scripts (``tsc --noEmit``), with the Node of the virtual environment."""

import subprocess
import sys

import build_assets


def main() -> int:
    """Exit code 1 with the compiler's words where a type is wrong."""
    try:
        build_assets.run(build_assets.PACKAGES / "typescript" / "bin" / "tsc", "--noEmit")
    except subprocess.CalledProcessError as error:
        print(error.stdout, error.stderr, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
