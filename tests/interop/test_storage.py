"""The blob part, driven by Azure Storage's own client."""

from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import BlobBlock, BlobClient, BlobServiceClient, ContainerClient

from programs import BELL_IONQ


def container(emulator, name):
    return ContainerClient.from_container_url(emulator.workspace().get_container_uri(container_name=name))


def test_content_comes_back_whole_and_in_ranges(emulator):
    blob = container(emulator, "ranges").get_blob_client("folder/a name+with%signs")
    content = bytes(i * 7 % 251 for i in range(100_000))
    uploaded = blob.upload_blob(content, metadata={"shots": "100"})
    assert blob.download_blob().readall() == content
    assert blob.download_blob(offset=99_990).readall() == content[99_990:]
    assert blob.download_blob(offset=10, length=20).readall() == content[10:30]
    properties = blob.get_blob_properties()
    assert properties.size == len(content) and properties.etag == uploaded["etag"]
    assert blob.exists() and not container(emulator, "ranges").get_blob_client("none").exists()


def test_large_uploads_in_blocks(emulator):
    name = "large"
    client = ContainerClient.from_container_url(
        emulator.workspace().get_container_uri(container_name=name),
        max_block_size=1024 * 1024, max_single_put_size=2 * 1024 * 1024, max_chunk_get_size=1024 * 1024,
    )
    content = bytes(range(256)) * 4 * 1024 * 9
    client.upload_blob("big", content, max_concurrency=4)
    assert client.download_blob("big", max_concurrency=4).readall() == content
    blob = client.get_blob_client("by hand")
    blob.stage_block("AAAA", b"first ")
    blob.stage_block("BBBB", b"second")
    blob.commit_block_list([BlobBlock("AAAA"), BlobBlock("BBBB")])
    assert blob.download_blob().readall() == b"first second"


def test_conditions(emulator):
    blob = container(emulator, "conditions").get_blob_client("once")
    first = blob.upload_blob(b"one")
    try:
        blob.upload_blob(b"two")
        raise AssertionError("overwritten without being asked to")
    except ResourceExistsError as error:
        assert error.error_code == "BlobAlreadyExists"
    blob.upload_blob(b"two", overwrite=True)
    try:
        blob.download_blob(etag=first["etag"], match_condition=MatchConditions.IfNotModified)
        raise AssertionError("an old ETag matches")
    except HttpResponseError as error:
        assert error.status_code == 412


def test_lists(emulator):
    client = container(emulator, "lists")
    for number in range(25):
        client.upload_blob(f"a/{number:02}", b"x" * number)
    client.upload_blob("b & <c>", b"")
    names = [blob.name for blob in client.list_blobs(results_per_page=10)]
    assert names == [f"a/{number:02}" for number in range(25)] + ["b & <c>"], names
    assert [blob.size for blob in client.list_blobs(name_starts_with="a/0")] == list(range(10))
    try:
        client.download_blob("none")
        raise AssertionError("a blob that is not there is read")
    except ResourceNotFoundError as error:
        assert error.error_code == "BlobNotFound"
    # The links that the service gives out do not let anybody delete.
    try:
        client.delete_blob("a/00")
        raise AssertionError("deleted")
    except HttpResponseError as error:
        assert error.error_code == "AuthorizationPermissionMismatch"


def test_a_storage_account_of_the_callers_own(emulator):
    storage = emulator.ready["storageConnectionString"]
    workspace = emulator.workspace(storage=storage)
    assert workspace.storage == storage
    job = workspace.get_targets("ionq.simulator").submit(BELL_IONQ, shots=10)
    assert job.get_results()["histogram"] == {"0": 0.5, "3": 0.5}
    account = BlobServiceClient.from_connection_string(storage)
    names = {blob.name for blob in account.get_container_client(job.container_name).list_blobs()}
    assert "inputData" in names, names
    container = account.get_container_client("by-key")
    container.create_container()
    blob = container.upload_blob("a b/c", b"x" * 100, metadata={"k": "v"})
    assert blob.download_blob(offset=10, length=5).readall() == b"xxxxx"
    blob.delete_blob()
    assert not blob.exists()
    wrong = storage.replace("AccountKey=", "AccountKey=AAAA")
    try:
        BlobServiceClient.from_connection_string(wrong).get_container_client("by-key").exists()
        raise AssertionError("a wrong key opens")
    except HttpResponseError as error:
        assert error.error_code == "AuthenticationFailed"


def test_links_end(emulator):
    client = container(emulator, "links")
    client.upload_blob("x", b"1")
    tampered = client.get_blob_client("x").url.replace("sp=", "sp=d")
    for url in (tampered, client.get_blob_client("x").url.split("?")[0]):
        try:
            BlobClient.from_blob_url(url).download_blob()
            raise AssertionError("a wrong link opens")
        except HttpResponseError as error:
            assert error.status_code in (401, 403, 409), error.status_code
    # The account has another key from now on, so this test is the last of the file.
    emulator.control("POST", "expire", {"sas": True})
    try:
        client.download_blob("x")
        raise AssertionError("an ended link opens")
    except HttpResponseError as error:
        assert error.status_code == 403 and error.error_code == "AuthenticationFailed"
