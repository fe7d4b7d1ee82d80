"""The blob part, driven by Azure Storage's own client."""

from datetime import datetime, timedelta, timezone

from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import (
    AccountSasPermissions, BlobBlock, BlobClient, BlobServiceClient, BlobSasPermissions, ContainerClient,
    ContentSettings, ResourceTypes, generate_account_sas, generate_blob_sas,
)

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


def account(emulator):
    return BlobServiceClient.from_connection_string(emulator.ready["storageConnectionString"])


def refused(action):
    try:
        action()
    except HttpResponseError as error:
        return error.error_code
    raise AssertionError("allowed")


def account_link(emulator, permission, resource_types="sco", hours=1, **options):
    """The account, opened by a link that only its key can make."""
    owner = account(emulator)
    now = datetime.now(timezone.utc)
    sas = generate_account_sas(
        owner.account_name, account_key=options.pop("key", owner.credential.account_key),
        resource_types=ResourceTypes.from_string(resource_types),
        permission=AccountSasPermissions.from_string(permission), expiry=now + timedelta(hours=hours), **options,
    )
    return BlobServiceClient(owner.url, credential=sas)


def test_links_to_the_account(emulator):
    container = account_link(emulator, "rwdlc").create_container("by-account-link")
    container.upload_blob("a", b"1")
    container.upload_blob("a", b"2", overwrite=True)
    assert container.download_blob("a").readall() == b"2"

    def blob(permission, *rest, **options):
        return account_link(emulator, permission, *rest, **options).get_blob_client("by-account-link", "a")

    assert [found.name for found in account_link(emulator, "l").list_containers("by-account")] == ["by-account-link"]
    assert refused(blob("wl").download_blob) == "AuthorizationPermissionMismatch"
    assert refused(blob("rwdl", "sc").download_blob) == "AuthorizationResourceTypeMismatch"
    assert refused(blob("r", hours=-1).download_blob) == "AuthenticationFailed"
    assert refused(blob("r", start=datetime.now(timezone.utc) + timedelta(minutes=30)).download_blob) == "AuthenticationFailed"
    assert refused(blob("r", key="AAAA").download_blob) == "AuthenticationFailed"
    assert refused(blob("r", ip="10.1.2.3").download_blob) == "AuthorizationSourceIPMismatch"
    assert blob("r", ip="127.0.0.0-127.0.0.9", protocol="https").download_blob().readall() == b"2"
    # Making is not changing.
    assert refused(lambda: blob("c").upload_blob(b"3", overwrite=True)) == "AuthorizationPermissionMismatch"
    account_link(emulator, "c").get_blob_client("by-account-link", "b").upload_blob(b"3")
    assert refused(blob("rwl").delete_blob) == "AuthorizationPermissionMismatch"
    blob("d").delete_blob()
    account_link(emulator, "d").delete_container("by-account-link")
    assert not container.exists()


def test_what_is_said_about_a_blob(emulator):
    container = account(emulator).create_container("described", metadata={"made": "here"})
    assert container.get_container_properties().metadata == {"made": "here"}
    blob = container.get_blob_client("b")
    settings = ContentSettings(content_type="text/plain", content_language="de", cache_control="no-cache")
    blob.upload_blob(b"0123456789", metadata={"one": "1"}, content_settings=settings, validate_content=True)
    before = blob.get_blob_properties()
    assert before.content_settings.content_language == "de" and before.content_settings.content_md5
    assert blob.download_blob(2, 3, validate_content=True).readall() == b"234"
    blob.set_blob_metadata({"two": "2"})
    blob.set_http_headers(ContentSettings(content_type="a/b"))
    after = blob.get_blob_properties()
    assert after.etag != before.etag and after.metadata == {"two": "2"}
    assert (after.content_settings.content_type, after.content_settings.cache_control) == ("a/b", None)
    owner = account(emulator)
    sas = generate_blob_sas(
        owner.account_name, "described", "b", account_key=owner.credential.account_key,
        permission=BlobSasPermissions(read=True), expiry=datetime.now(timezone.utc) + timedelta(hours=1),
        cache_control="max-age=1", content_language="fr",
    )
    shown = BlobClient.from_blob_url(f"{blob.url}?{sas}").get_blob_properties().content_settings
    assert (shown.cache_control, shown.content_language, shown.content_type) == ("max-age=1", "fr", "a/b")
    earlier = datetime.now(timezone.utc) - timedelta(days=1)
    assert blob.download_blob(if_modified_since=earlier).readall() == b"0123456789"
    assert refused(lambda: blob.delete_blob(if_unmodified_since=earlier)) == "ConditionNotMet"
    assert refused(lambda: blob.delete_blob(etag=before.etag, match_condition=MatchConditions.IfNotModified)) == "ConditionNotMet"


def test_folders_and_blocks(emulator):
    container = account(emulator).create_container("folders")
    for name in ("d/1", "d/2", "d/e/3", "top"):
        container.upload_blob(name, name.encode(), metadata={"n": name})
    assert sorted(item.name for item in container.walk_blobs()) == ["d/", "top"]
    pages = container.walk_blobs("d/", results_per_page=1).by_page()
    assert [[item.name for item in page] for page in pages] == [["d/1"], ["d/2"], ["d/e/"]]
    assert [blob.metadata for blob in container.list_blobs("top", include=["metadata"])] == [{"n": "top"}]
    blob = container.get_blob_client("blocks")
    blob.stage_block("Qg==", b"bbb")
    blob.stage_block("QQ==", b"aa")
    assert not blob.exists() and "blocks" not in [found.name for found in container.list_blobs()]
    assert "blocks" in [found.name for found in container.list_blobs(include=["uncommittedblobs"])]
    sizes = lambda: [[(block.id, block.size) for block in blocks] for blocks in blob.get_block_list("all")]
    assert sizes() == [[], [("QQ==", 2), ("Qg==", 3)]]
    assert refused(lambda: blob.stage_block("A" * 100, b"")) == "OutOfRangeInput"
    assert refused(lambda: blob.stage_block("QQQQQQQQ", b"")) == "InvalidBlobOrBlock"
    assert refused(lambda: blob.commit_block_list([BlobBlock("Wg==")])) == "InvalidBlockList"
    written = blob.commit_block_list([BlobBlock("Qg=="), BlobBlock("QQ=="), BlobBlock("Qg==")])
    assert blob.download_blob().readall() == b"bbbaabbb"
    assert sizes() == [[("Qg==", 3), ("QQ==", 2), ("Qg==", 3)], []]
    once = MatchConditions.IfMissing
    assert refused(lambda: blob.commit_block_list([BlobBlock("QQ==")], match_condition=once)) == "BlobAlreadyExists"
    changed = dict(etag=written["etag"] + "x", match_condition=MatchConditions.IfNotModified)
    assert refused(lambda: blob.commit_block_list([BlobBlock("QQ==")], **changed)) == "ConditionNotMet"


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
