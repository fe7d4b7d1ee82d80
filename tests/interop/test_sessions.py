"""Sessions: jobs in them, closing, failing, running out of time."""

from azure.core.exceptions import HttpResponseError
from azure.quantum import Session
from azure.quantum.target import IonQ, Target

from programs import BELL_IONQ


def test_jobs_in_a_session(emulator):
    workspace = emulator.workspace()
    ionq = workspace.get_targets("ionq.simulator")
    with ionq.open_session(name="a session") as session:
        assert ionq.latest_session.id == ionq.get_latest_session_id() == session.id
        jobs = [ionq.submit(BELL_IONQ, f"job {number}") for number in range(3)]
        for job in jobs:
            job.wait_until_completed(print_progress=False)
        session.refresh()
        assert session.details.status == "Executing"
    assert session.is_in_terminal_state() and session.details.status == "Succeeded"
    assert {job.id for job in session.list_jobs()} == {job.id for job in jobs}
    assert session.item_type == "Session" and session.workspace is workspace
    found = workspace.list_session_jobs(session_id=session.id, name_match="job 1")
    assert [job.details.name for job in found] == ["job 1"]
    names = [
        details.name
        for details in workspace.list_session_jobs_paginated(
            session_id=session.id, orderby_property="Name", is_asc=False, top=2
        )
    ]
    assert names == ["job 2", "job 1", "job 0"], names
    assert workspace.get_session(session.id).details.name == "a session"


def test_by_hand(emulator):
    workspace = emulator.workspace()
    session = Session(workspace, target="ionq.simulator", name="by hand", job_failure_policy="Abort")
    session.open()
    assert session.details.status == "Waiting" and session.id == session.details.id
    assert session.target is None
    workspace.refresh_session(session)
    workspace.close_session(session)
    assert session.is_in_terminal_state()
    session.close()


def test_a_failed_job_ends_a_strict_session(emulator):
    ionq = emulator.workspace().get_targets("ionq.simulator")
    session = ionq.open_session(name="strict", job_failure_policy="Abort")
    job = ionq.submit({"qubits": 1, "circuit": [{"gate": "warp", "target": 0}]})
    job.wait_until_completed(print_progress=False)
    assert job.details.status == "Failed"
    session.refresh()
    assert session.details.status == "Failed" and session.is_in_terminal_state()
    try:
        ionq.submit(BELL_IONQ)
        raise AssertionError("an ended session takes jobs")
    except HttpResponseError as error:
        assert "terminal state" in error.message, error.message


def test_an_idle_session_times_out(emulator):
    workspace = emulator.workspace()
    session = IonQ(workspace, "ionq.simulator").open_session(name="idle")
    emulator.advance(11 * 60)
    session.refresh()
    assert session.details.status == "TimedOut" and session.is_in_terminal_state(), session.details.status


def test_a_target_from_its_status(emulator):
    workspace = emulator.workspace()
    (provider, status), = workspace._get_target_status("ionq.simulator")
    found = Target.from_target_status(workspace, provider, status)
    assert (found.name, found.provider_id) == ("ionq.simulator", provider)


def test_each_list_has_what_is_there(emulator):
    workspace = emulator.workspace()
    job = workspace.get_targets("ionq.simulator").submit(BELL_IONQ, "alone")
    sessions = {session.id for session in workspace.list_sessions()}
    items = {item.id for item in workspace.list_top_level_items()}
    assert sessions and items == sessions | {job.id}
    assert [found.id for found in workspace.list_jobs(name_match="alone")] == [job.id]
    assert {details.id for details in workspace.list_jobs_paginated(top=1)} > {job.id}
