"""Ten thousand jobs in fifty sessions: every filter and order gives exactly what was put in."""

import uuid
from collections import Counter
from datetime import datetime, timedelta, timezone

# Watching every call would take longer than the calls; the other files make the same ones.
WATCHED = False

JOBS, SESSIONS = 10_000, 50
STATES = ["Succeeded", "Failed", "Cancelled"]
TARGETS = [("ionq", "ionq.simulator"), ("quantinuum", "quantinuum.sim.h2-1e")]
FIRST = datetime(2026, 3, 1, tzinfo=timezone.utc)


def name_of(prefix, number):
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{prefix}{number}"))


def job(number):
    provider, target = TARGETS[number % 2]
    return {
        "id": name_of("job", number),
        "name": f"job {number:05}",
        "providerId": provider,
        "target": target,
        "status": STATES[number % 3],
        "outputDataFormat": "ionq.quantum-results.v1",
        "inputParams": {},
        "jobType": "QuantumComputing" if number % 5 else "Unknown",
        # One in two belongs to no session.
        "sessionId": name_of("session", number // 2 % SESSIONS) if number % 2 else None,
        "creationTime": (FIRST + timedelta(minutes=number)).isoformat().replace("+00:00", "Z"),
    }


SEEDED = [job(number) for number in range(JOBS)]


def ids(items):
    found = [item.id for item in items]
    assert len(found) == len(set(found)), "an item came twice"
    return found


def wanted(keep):
    return {job["id"] for job in SEEDED if keep(job)}


def test_seed(emulator):
    sessions = [
        {
            "id": name_of("session", number),
            "name": f"session {number:02}",
            "providerId": TARGETS[number % 2][0],
            "target": TARGETS[number % 2][1],
            "status": "Succeeded",
            "creationTime": (FIRST + timedelta(days=number)).isoformat().replace("+00:00", "Z"),
        }
        for number in range(SESSIONS)
    ]
    workspace = emulator.control("GET", "state")["workspaces"][0]
    emulator.control("POST", "state", {"workspaces": [{**workspace, "jobs": SEEDED, "sessions": sessions}]})


def test_all_jobs_in_pages(emulator):
    jobs = emulator.workspace().list_jobs(orderby_property="CreationTime")
    assert [job.details.name for job in jobs] == [job["name"] for job in SEEDED]
    assert [job.id for job in jobs] == [job["id"] for job in SEEDED]
    backwards = emulator.workspace().list_jobs_paginated(orderby_property="Name", is_asc=False, top=37, skip=5)
    assert ids(backwards) == [job["id"] for job in reversed(SEEDED[:-5])]


def test_each_filter_alone_and_together(emulator):
    workspace = emulator.workspace()

    def same(keep, **filters):
        assert set(ids(workspace.list_jobs(**filters))) == wanted(keep), filters

    same(lambda job: job["name"].startswith("job 012"), name_match="job 012")
    same(lambda job: job["jobType"] == "Unknown", job_type=["Unknown"])
    same(lambda job: job["providerId"] == "ionq", provider=["ionq"])
    same(lambda job: True, provider=["ionq", "quantinuum"])
    same(lambda job: job["target"] == "ionq.simulator", target=["ionq.simulator"])
    same(lambda job: job["status"] == "Failed", status=["Failed"])
    same(lambda job: job["status"] != "Failed", status=["Succeeded", "Cancelled"])
    day = FIRST + timedelta(days=2)
    same(lambda job: job["creationTime"] >= "2026-03-03", created_after=day)
    same(lambda job: job["creationTime"] <= "2026-03-03T00:00:00Z", created_before=day)
    same(
        lambda job: job["name"].startswith("job 03") and job["providerId"] == "ionq" and job["status"] == "Failed",
        name_match="job 03", provider=["ionq"], status=["Failed"], created_after=FIRST, orderby_property="Target",
    )
    assert workspace.list_jobs(name_match="nobody") == []


def test_sessions(emulator):
    workspace = emulator.workspace()
    assert len(workspace.list_sessions()) == SESSIONS
    of_ionq = workspace.list_sessions(provider=["ionq"], target=["ionq.simulator"], orderby_property="Name")
    assert [session.details.name for session in of_ionq] == [f"session {n:02}" for n in range(0, SESSIONS, 2)]
    late = workspace.list_sessions_paginated(created_after=FIRST + timedelta(days=45), top=2, status=["Succeeded"])
    assert len(ids(late)) == 5
    counted = Counter(job["sessionId"] for job in SEEDED if job["sessionId"])
    for number in (0, 7, 49):
        session = name_of("session", number)
        jobs = workspace.list_session_jobs(session_id=session)
        assert set(ids(jobs)) == wanted(lambda job: job["sessionId"] == session)
        assert len(jobs) == counted[session] == JOBS // 2 // SESSIONS


def test_top_level_items(emulator):
    workspace = emulator.workspace()
    items = workspace.list_top_level_items()
    alone = wanted(lambda job: not job["sessionId"])
    assert set(ids(items)) == alone | {name_of("session", number) for number in range(SESSIONS)}
    sessions = workspace.list_top_level_items(item_type=["Session"])
    assert len(sessions) == SESSIONS and {item.item_type for item in sessions} == {"Session"}
    failed = workspace.list_top_level_items_paginated(
        item_type=["Job"], job_type=["QuantumComputing"], status=["Failed"], orderby_property="Name", top=333
    )
    expected = [
        job["name"]
        for job in SEEDED
        if not job["sessionId"] and job["status"] == "Failed" and job["jobType"] == "QuantumComputing"
    ]
    assert [item.name for item in failed] == expected
