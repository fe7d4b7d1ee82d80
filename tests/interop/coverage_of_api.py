"""Which public methods and properties of the client's classes were called."""

import sys
import threading

# Public, and not called here; each with its reason. At most ten.
NOT_COVERED = {}


class Watch:
    """Notes every function of the client that runs, without touching it."""

    def __init__(self):
        self.called = set()

    def start(self):
        threading.setprofile(self._note)
        sys.setprofile(self._note)

    def stop(self):
        sys.setprofile(None)
        threading.setprofile(None)

    def _note(self, frame, event, _):
        if event == "call" and "quantum" in frame.f_code.co_filename:
            self.called.add(frame.f_code)


def public_functions():
    """Name and code of each public method and property, inherited ones included."""
    from azure.quantum import Job, Session, Workspace
    from azure.quantum.target import Target

    for cls in (Workspace, Job, Session, Target):
        members = {}
        for base in reversed(cls.__mro__):
            if base.__module__.startswith("azure.quantum"):
                members.update(vars(base))
        for name, member in sorted(members.items()):
            if name.startswith("_"):
                continue
            function = getattr(member, "fget", None) or getattr(member, "__func__", member)
            if hasattr(function, "__code__"):
                yield f"{cls.__name__}.{name}", function.__code__


def report(called):
    functions = list(public_functions())
    covered = {name for name, code in functions if code in called}
    for name, _ in functions:
        why = "covered" if name in covered else f"NOT covered: {NOT_COVERED.get(name, 'no reason given')}"
        print(f"  {name}: {why}")
    missing = {name for name, _ in functions} - covered
    print(f"  {len(covered)} of {len(functions)} covered")
    assert missing == set(NOT_COVERED), missing ^ set(NOT_COVERED)
    assert len(missing) <= 10
