"""The guide's script, as an outsider would run it: a file of its own, the program on PATH, no help from here."""

import os
import pathlib
import re
import subprocess
import sys
import tempfile


def test_the_script_of_the_guide(emulator):
    guide = pathlib.Path(__file__).parents[2] / "docs" / "emulator.md"
    script = re.search(r"```python\n(.*?)```", guide.read_text(), re.DOTALL).group(1)
    assert len(script.splitlines()) <= 20
    program = pathlib.Path(os.environ["QWS_EMULATOR"])
    environment = {"PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}"}
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "script.py"
        path.write_text(script)
        run = subprocess.run(
            [sys.executable, "-B", path], env=environment, capture_output=True, text=True, timeout=60
        )
    assert run.returncode == 0, run.stderr
    assert "ionq.simulator Available" in run.stdout.replace("TargetAvailability.AVAILABLE", "Available"), run.stdout
    assert "{'histogram': {'0': 0.5, '3': 0.5}}" in run.stdout, run.stdout
