"""Runs every function `test_*(emulator)` of the files `test_*.py` beside it, one emulator a file.

What of the public API of Workspace, Job, Session and Target was called is found by looking, not by declaration; the last
test compares it with what there is. The last line is `N passed, M failed, K skipped`.
"""

import importlib
import pathlib
import sys
import traceback

import coverage_of_api
from emulator import Emulator


def main(wanted):
    passed, failed = 0, []
    watch = coverage_of_api.Watch()
    folder = pathlib.Path(__file__).parent
    for path in sorted(folder.glob("test_*.py")):
        module = importlib.import_module(path.stem)
        tests = [name for name in vars(module) if name.startswith("test_") and wanted in f"{path.stem}.{name}"]
        if not tests:
            continue
        if getattr(module, "WATCHED", True):
            watch.start()
        with Emulator() as emulator:
            for name in tests:
                passed += attempt(f"{path.stem}.{name}", lambda: getattr(module, name)(emulator), failed)
        watch.stop()
    if not wanted:
        passed += attempt("coverage_of_api", lambda: coverage_of_api.report(watch.called), failed)
    print(f"\n{passed} passed, {len(failed)} failed, 0 skipped")
    return 1 if failed or not passed else 0


def attempt(name, test, failed):
    try:
        test()
    except Exception:  # A failed test must not keep the others from running.
        traceback.print_exc()
        print(f"FAILED {name}", flush=True)
        failed.append(name)
        return 0
    print(f"ok     {name}", flush=True)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ""))
