"""Every way to a workspace, with a key and with tokens."""

import os

from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from azure.identity import ClientSecretCredential, ManagedIdentityCredential
from azure.quantum import Workspace

CLIENT_ID = "12121212-1212-4212-8212-121212121212"


def principal(emulator, secret="right"):
    application = {"clientId": CLIENT_ID, "secrets": ["right"]}
    emulator.control("POST", "identity/applications", application)
    return ClientSecretCredential(emulator.ready["tenantId"], CLIENT_ID, secret)


def lists_targets(workspace):
    assert "ionq.simulator" in [target.name for target in workspace.get_targets()]


def test_by_connection_string(emulator):
    with emulator.workspace(user_agent="interop") as workspace:
        lists_targets(workspace)
        assert (workspace.name, workspace.resource_group) == ("emulator-ws", "emulator-rg")
        assert workspace.location == "eastus" and workspace.storage is None
        assert workspace.subscription_id in emulator.ready["resourceId"]
        assert type(workspace.credential).__name__ == "AzureKeyCredential"
        workspace.append_user_agent("more")
        assert workspace.user_agent.endswith("-more") and workspace.user_agent.startswith("interop")
    workspace.close()


def test_by_connection_string_in_the_environment(emulator):
    os.environ["AZURE_QUANTUM_CONNECTION_STRING"] = emulator.ready["connectionString"]
    try:
        lists_targets(Workspace())
    finally:
        del os.environ["AZURE_QUANTUM_CONNECTION_STRING"]


def test_by_resource_id_through_the_resource_manager(emulator):
    emulator.control("DELETE", "requests")
    lists_targets(Workspace(resource_id=emulator.ready["resourceId"], credential=principal(emulator)))
    operations = emulator.operations()
    assert "WorkspaceGet" in operations and "EntraToken" in operations, operations


def test_by_name_through_resource_graph(emulator):
    emulator.control("DELETE", "requests")
    workspace = Workspace(name="emulator-ws", credential=principal(emulator))
    lists_targets(workspace)
    assert "ResourceGraph" in emulator.operations()
    assert workspace.resource_group == "emulator-rg"


def test_as_the_machine_itself(emulator):
    os.environ["AZURE_POD_IDENTITY_AUTHORITY_HOST"] = emulator.ready["imds"]
    try:
        credential = ManagedIdentityCredential()
        lists_targets(Workspace(resource_id=emulator.ready["resourceId"], credential=credential))
    finally:
        del os.environ["AZURE_POD_IDENTITY_AUTHORITY_HOST"]
    os.environ["IDENTITY_ENDPOINT"] = emulator.ready["appServiceEndpoint"]
    os.environ["IDENTITY_HEADER"] = emulator.ready["appServiceHeader"]
    try:
        credential = ManagedIdentityCredential()
        lists_targets(Workspace(resource_id=emulator.ready["resourceId"], credential=credential))
    finally:
        del os.environ["IDENTITY_ENDPOINT"], os.environ["IDENTITY_HEADER"]


def refusal(action, kind):
    try:
        action()
    except kind as error:
        return str(error)
    raise AssertionError(f"no {kind.__name__}")


def test_refusals_are_understood(emulator):
    wrong = principal(emulator, "wrong")
    text = refusal(lambda: wrong.get_token("https://quantum.microsoft.com/.default"), ClientAuthenticationError)
    assert "AADSTS7000215" in text, text
    good = principal(emulator)
    nowhere = emulator.ready["resourceId"].replace("emulator-ws", "nobody")
    refusal(lambda: Workspace(resource_id=nowhere, credential=good), Exception)
    text = refusal(lambda: Workspace(name="nobody", credential=good), ValueError)
    assert "No matching workspace found" in text, text
    emulator.control("POST", "keys", {"enabled": False})
    text = refusal(lambda: list(emulator.workspace().get_targets()), ClientAuthenticationError)
    emulator.control("POST", "keys", {"enabled": True})
    emulator.control("POST", "identity/role", {"clientId": CLIENT_ID, "role": "None"})
    text = refusal(
        lambda: Workspace(resource_id=emulator.ready["resourceId"], credential=good), Exception
    )
    assert "does not have authorization" in text or "AuthorizationFailed" in text, text


def test_a_throttled_client_comes_back(emulator):
    throttle = {"status": {"status": 429, "headers": {"Retry-After": "0"}}}
    with emulator.fault(route="ProviderStatus", times=2, action=throttle):
        lists_targets(emulator.workspace())
    emulator.control("DELETE", "requests")
    with emulator.fault(route="Quotas", action={"status": {"status": 400}}):
        refusal(lambda: emulator.workspace().get_quotas(), HttpResponseError)
    assert emulator.operations() == ["Quotas"]
