"""Jobs on each provider: submitted, waited for, read in every format, changed, refused."""

import json

from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.quantum import Job
from azure.quantum._client.models import JobStatus
from azure.quantum.target import IonQ, Pasqal, Quantinuum, Rigetti
from azure.quantum.target.rigetti import Result

from programs import BELL_IONQ, BELL_QASM, BELL_QIR


def target(emulator, name):
    return emulator.workspace().get_targets(name)


def qir(emulator, **params):
    return target(emulator, "quantinuum.sim.h2-1e").submit(
        BELL_QIR,
        "qir",
        input_data_format="qir.v1",
        output_data_format=params.pop("output", "microsoft.quantum-results.v2"),
        input_params={"entryPoint": "bell", "arguments": [], **params.pop("input_params", {})},
        **params,
    )


def test_ionq(emulator):
    ionq = target(emulator, "ionq.simulator")
    assert isinstance(ionq, IonQ)
    job = ionq.submit(BELL_IONQ, "bell", shots=100, tags=["a", "b"], priority="High")
    job.wait_until_completed(print_progress=False)
    assert job.has_succeeded() and job.has_completed()
    assert job.get_results() == {"histogram": {"0": 0.5, "3": 0.5}}
    assert job.details.tags == ["a", "b"] and job.details.input_params == {"shots": 100}
    assert job.item_type == "Job" and job.workspace.name == "emulator-ws"
    assert job.container_name == f"job-{job.id}"
    assert job.matches_filter(name_match="bel+", status=JobStatus.SUCCEEDED)


def test_quantinuum(emulator):
    quantinuum = target(emulator, "quantinuum.sim.h2-1e")
    assert isinstance(quantinuum, Quantinuum)
    job = quantinuum.submit(BELL_QASM, shots=50)
    results = job.get_results()
    assert len(results["c"]) == 50 and set(results["c"]) == {"00", "11"}, results


def test_rigetti(emulator):
    rigetti = target(emulator, "rigetti.sim.qvm")
    assert isinstance(rigetti, Rigetti)
    program = "DECLARE ro BIT[3]\nX 7\nRX(pi/2) 2\nDAGGER RX(pi/2) 2\nCONTROLLED X 7 2\nMEASURE 7 ro[0]\nMEASURE 2 ro[2]"
    job = rigetti.submit(program, shots=10)
    assert job.get_results() == {"ro": [[1, 0, 1]] * 10}
    assert list(Result(job)["ro"][0]) == [1, 0, 1]
    coins = rigetti.submit("DECLARE ro BIT[2]\nH 0\nCNOT 0 1\nMEASURE 0 ro[0]\nMEASURE 1 ro[1]", shots=100).get_results()
    assert {tuple(row) for row in coins["ro"]} == {(0, 0), (1, 1)} and len(coins["ro"]) == 100


def failure(job):
    job.wait_until_completed(print_progress=False)
    assert job.details.status == "Failed", job.details.status
    return job.details.error_data.code, job.details.error_data.message


def test_programs_that_cannot_run_fail_their_job(emulator):
    workspace = emulator.workspace()
    rigetti, ionq = (workspace.get_targets(name) for name in ("rigetti.sim.qvm", "ionq.simulator"))
    code, message = failure(rigetti.submit("DECLARE ro BIT[1]\nDEFGATE WARP:\n", shots=10))
    assert code == "InvalidInputData" and "Line 2: `DEFGATE` is not supported" in message, message
    code, message = failure(qir(emulator, input_params={"entryPoint": "elsewhere"}))
    assert code == "QIRPreProcessingFailed", (code, message)
    bitcode = rigetti.submit(
        b"BC\xc0\xde rest", input_data_format="qir.v1", output_data_format="microsoft.quantum-results.v2",
        input_params={"entryPoint": "main", "arguments": []},
    )
    code, message = failure(bitcode)
    assert code == "BitcodeError" and "text QIR" in message, message
    assert failure(target(emulator, "quantinuum.sim.h2-1e").submit("no QASM"))[0] == "CompilationError"
    assert failure(ionq.submit(BELL_IONQ, output_data_format="acme.v1"))[0] == "CannotTranslateOutputData"
    assert failure(ionq.submit(BELL_IONQ, shots=0))[0] == "InvalidInputData"
    wide = {"qubits": 21, "circuit": [{"gate": "h", "target": 20}]}
    assert "at most 20" in failure(ionq.submit(wide))[1]
    job_id = Job.create_job_id()
    container = workspace.get_container_uri(job_id=job_id)
    nowhere = Job.from_storage_uri(
        workspace=workspace, name="no input", target="ionq.simulator", provider_id="ionq", job_id=job_id,
        input_data_uri=container.split("?")[0] + "/nothing", container_uri=container,
        input_data_format="ionq.circuit.v1", output_data_format="ionq.quantum-results.v1",
    )
    assert failure(nowhere)[0] == "InputDataNotFound"
    pasqal = target(emulator, "pasqal.sim.emu-sv")
    assert isinstance(pasqal, Pasqal)
    job = pasqal.submit({"sequence_builder": "{}"}, shots=10)
    try:
        job.get_results()
        raise AssertionError("a failed job has results")
    except RuntimeError as error:
        assert "Cannot retrieve results as job execution failed" in str(error)


def test_results_version_1(emulator):
    results = qir(emulator, shots=200, output="microsoft.quantum-results.v1").get_results()
    assert set(results) == {"[0, 0]", "[1, 1]"} and abs(sum(results.values()) - 1) < 1e-12, results


def test_results_version_2(emulator):
    job = qir(emulator, shots=200)
    results = job.get_results()
    assert set(results) == {"[0, 0]", "[1, 1]"} and abs(sum(results.values()) - 1) < 1e-12
    histogram = job.get_results_histogram()
    assert {key: value["outcome"] for key, value in histogram.items()} == {"[0, 0]": [0, 0], "[1, 1]": [1, 1]}
    assert sum(value["count"] for value in histogram.values()) == 200
    shots = job.get_results_shots()
    assert len(shots) == 200 and shots.count([0, 0]) == histogram["[0, 0]"]["count"]


def test_a_batch(emulator):
    items = [{"entryPoint": "bell", "arguments": []}] * 3
    job = qir(emulator, shots=20, input_params={"items": items})
    histograms = job.get_results_histogram()
    assert len(histograms) == 3 and all(sum(v["count"] for v in h.values()) == 20 for h in histograms)
    shots = job.get_results_shots()
    assert [len(of_item) for of_item in shots] == [20, 20, 20]


def test_a_program_from_storage(emulator):
    workspace = emulator.workspace()
    job_id = Job.create_job_id()
    container = workspace.get_container_uri(job_id=job_id)
    uri = Job.upload_input_data(container, json.dumps(BELL_IONQ).encode())
    common = dict(
        workspace=workspace, name="stored", target="ionq.simulator", provider_id="ionq",
        input_data_format="ionq.circuit.v1", output_data_format="ionq.quantum-results.v1",
    )
    job = Job.from_storage_uri(input_data_uri=uri, container_uri=container, job_id=job_id, submit_job=False, **common)
    job.submit()
    assert job.get_results()["histogram"]["3"] == 0.5
    assert json.loads(job.download_data(job.details.input_data_uri)) == BELL_IONQ
    assert job.download_blob_properties(job.details.output_data_uri).size > 0
    job = Job.from_input_data(input_data=json.dumps(BELL_IONQ).encode(), **common)
    assert job.get_results()["histogram"]["0"] == 0.5


def test_attachments(emulator):
    job = target(emulator, "ionq.simulator").submit(BELL_IONQ)
    job.wait_until_completed(print_progress=False)
    content = bytes(range(256)) * 100
    uri = job.upload_attachment("notes/a+b c.bin", content)
    assert "sig=" not in uri
    assert job.download_attachment("notes/a+b c.bin") == content
    names = {blob.name for blob in job.list_attachments()}
    assert {"inputData", "notes/a+b c.bin"} <= names, names


def test_change_cancel_and_delete(emulator):
    workspace = emulator.workspace()
    job = workspace.get_targets("ionq.simulator").submit(BELL_IONQ, "first")
    job.update(name="second", tags=["x"])
    assert (job.details.name, job.details.tags) == ("second", ["x"])
    job = workspace.update_job(job, priority="High")
    assert job.details.priority == "High"
    job = workspace.cancel_job(job)
    job.wait_until_completed(print_progress=False)
    assert job.details.status == "Cancelled"
    job.refresh()
    workspace.delete_job(job)
    try:
        workspace.get_job(job.id)
        raise AssertionError("a deleted job is found")
    except ResourceNotFoundError as error:
        assert error.status_code == 404 and error.error.code == "JobNotFound"
    other = workspace.get_targets("ionq.simulator").submit(BELL_IONQ)
    other.wait_until_completed(print_progress=False)
    other.delete()


def test_wrong_jobs_are_refused_at_once(emulator):
    workspace = emulator.workspace()
    wrong = IonQ(workspace, "ionq.nothing")
    try:
        wrong.submit(BELL_IONQ)
        raise AssertionError("an unknown target takes jobs")
    except HttpResponseError as error:
        assert error.status_code == 403 and error.error.code == "InvalidJobDefinition"
        assert "target specified does not exist" in error.message, error.message
    try:
        wrong.provider_id = "nobody"
        wrong.submit(BELL_IONQ)
        raise AssertionError("an unknown provider takes jobs")
    except HttpResponseError as error:
        assert error.status_code == 403 and "provider specified does not exist" in error.message, error.message
    try:
        workspace.get_targets("ionq.simulator").submit(BELL_IONQ, output_data_format="")
        raise AssertionError("a job without an output format is taken")
    except HttpResponseError as error:
        assert error.status_code == 400 and "OutputDataFormat field is required" in error.message, error.message
    emulator.control("POST", "targets", {"target": "ionq.simulator", "availability": "Unavailable"})
    try:
        workspace.get_targets("ionq.simulator").submit(BELL_IONQ)
        raise AssertionError("a target that is away takes jobs")
    except HttpResponseError as error:
        assert error.status_code == 409 and error.error.code == "TargetUnavailable", error
    finally:
        emulator.control("POST", "targets", {"target": "ionq.simulator", "availability": "Available"})


def test_targets_and_quotas(emulator):
    workspace = emulator.workspace()
    assert {target.provider_id for target in workspace.get_targets(provider_id="ionq")} <= {"ionq", "IonQ"}
    ionq = workspace.get_targets("ionq.simulator")
    emulator.control("POST", "targets", {"target": "ionq.simulator", "availability": "Degraded"})
    ionq.refresh()
    assert ionq.current_availability == "Degraded" and ionq.average_queue_time == 3
    emulator.control("POST", "targets", {"target": "ionq.simulator", "availability": "Available"})
    params = ionq.make_params()
    params.shots = 7
    job = ionq.submit(BELL_IONQ, input_params=params.as_dict() if hasattr(params, "as_dict") else {})
    job.wait_until_completed(print_progress=False)
    quotas = {quota["dimension"]: quota for quota in workspace.get_quotas()}
    assert quotas["qgs"]["limit"] == 800_000.0 and quotas["hqc"]["providerId"] == "quantinuum"


def test_a_job_beyond_the_quota_is_refused(emulator):
    workspace = emulator.workspace()
    qpu = IonQ(workspace, "ionq.qpu.forte-1")
    used = {quota["dimension"]: quota["utilization"] for quota in workspace.get_quotas()}["qgs"]
    # One H and one CNOT: eleven for each shot.
    emulator.control("POST", "quotas", {"dimension": "qgs", "limit": used + 1100})
    job = qpu.submit(BELL_IONQ, shots=100)
    assert {quota["dimension"]: quota["holds"] for quota in workspace.get_quotas()}["qgs"] == 1100
    try:
        qpu.submit(BELL_IONQ, shots=100)
        raise AssertionError("more than the quota is taken")
    except HttpResponseError as error:
        assert error.status_code == 403 and error.error.code == "InsufficientQuota", error
    job.wait_until_completed(print_progress=False)
    left = {quota["dimension"]: quota for quota in workspace.get_quotas()}["qgs"]
    assert (left["utilization"], left["holds"]) == (used + 1100, 0), left
