//! `az`, `azd` and `pwsh` as small programs that check what they are asked.

use std::{fs, io::Read, path::Path, process::Command, sync::Arc, time::Duration};

use azure_core::time::OffsetDateTime;
use qws_auth::{AuthError, AuthErrorKind, AzureCli, AzureDeveloperCli, AzurePowerShell, Credential, Host};
use qws_http::ManualClock;
use tempfile::TempDir;

use crate::{header, host, quantum};

/// A folder with a program of this name, and a host whose PATH leads there and to the system's tools.
pub(crate) fn program(name: &str, script: &str) -> (TempDir, Host) {
    let folder = tempfile::tempdir().unwrap();
    install(folder.path(), name, script);
    let path = format!("relative:{}:/usr/bin:/bin", folder.path().display());
    let host = host(&[("PATH", &path)]);
    (folder, host)
}

/// Another process writes the program: one that this process holds open for writing, and so whatever it starts at that
/// moment, cannot be run.
pub(crate) fn install(folder: &Path, name: &str, script: &str) {
    let draft = folder.join("draft");
    fs::write(&draft, format!("#!/bin/sh\n{script}\n")).unwrap();
    let copied = Command::new("install").args(["-m", "755"]).args([draft, folder.join(name)]).status();
    assert!(copied.unwrap().success());
}

/// Prints its answer only if it was called in exactly this way.
fn checked(arguments: &str, answer: &str) -> String {
    format!(
        r#"[ "$*" = "{arguments}" ] || {{ echo "called with: $*" >&2; exit 2; }}
[ "$TZ$NO_COLOR$AZURE_CORE_NO_COLOR" != "" ] || {{ echo "no variables" >&2; exit 2; }}
[ "$(cat)" = "" ] || {{ echo "stdin is open" >&2; exit 2; }}
echo '{answer}'"#
    )
}

const AZ: &str = "account get-access-token --output json --resource https://quantum.microsoft.com";
const AZD: &str = "auth token --output json --no-prompt --scope https://quantum.microsoft.com/.default";

async fn az(script: &str) -> Result<String, AuthError> {
    let (_folder, host) = program("az", script);
    header(&AzureCli::new().with_host(host)).await
}

async fn azd(script: &str) -> Result<String, AuthError> {
    let (_folder, host) = program("azd", script);
    header(&AzureDeveloperCli::new().with_host(host)).await
}

#[tokio::test]
async fn az_gives_a_token() {
    let answer = r#"{"accessToken":"tok","expiresOn":"2027-01-15 09:00:00.000000","expires_on":1800003600,"subscription":"s","tenant":"t","tokenType":"Bearer"}"#;
    let (_folder, host) = program("az", &checked(AZ, answer));
    let credential = AzureCli::new().with_host(host);
    assert_eq!(header(&credential).await.unwrap(), "Bearer tok");
    let end = credential.authorize(&quantum()).await.unwrap().expires_on().unwrap();
    assert_eq!(end.unix_timestamp(), 1_800_003_600);
}

#[tokio::test]
async fn an_older_az_prints_the_end_in_the_local_time_that_we_chose() {
    // What Python prints for 1800003600 where TZ says UTC.
    let script =
        r#"[ "$TZ" = UTC ] && echo '{"accessToken":"tok","expiresOn":"2027-01-15 09:00:00.123456"}'"#;
    let (_folder, host) = program("az", script);
    let authorization = AzureCli::new().with_host(host).authorize(&quantum()).await.unwrap();
    assert_eq!(authorization.expires_on().unwrap().unix_timestamp(), 1_800_003_600);
}

#[tokio::test]
async fn tenant_and_subscription_are_passed_on() {
    let script = checked(
        &format!("{AZ} --tenant contoso.com --subscription My Sub"),
        r#"{"accessToken":"tok","expires_on":1800003600}"#,
    );
    let (_folder, host) = program("az", &script);
    let credential = AzureCli::new().with_host(host).with_tenant("contoso.com".parse().unwrap());
    let credential = credential.with_subscription("My Sub").unwrap();
    assert_eq!(header(&credential).await.unwrap(), "Bearer tok");
    for bad in ["", "-s", "a;b", "a\"b", "é", "a&b", "$x"] {
        assert!(AzureCli::new().with_subscription(bad).is_err(), "{bad}");
    }
}

#[tokio::test]
async fn azd_gives_a_token() {
    let answer = r#"{"token":"tok","expiresOn":"2027-01-15T09:00:00Z"}"#;
    assert_eq!(azd(&checked(AZD, answer)).await.unwrap(), "Bearer tok");
    let (_folder, host) =
        program("azd", &checked(&format!("{AZD} --tenant-id contoso.com --claims e30="), answer));
    let credential = AzureDeveloperCli::new().with_host(host).with_tenant("contoso.com".parse().unwrap());
    assert!(credential.authorize(&quantum().with_claims(Some("{}".into()))).await.is_ok());
}

#[tokio::test]
async fn what_is_not_there_lets_a_chain_go_on() {
    let nothing = host(&[("PATH", "/nonexistent")]);
    let error = header(&AzureCli::new().with_host(nothing.clone())).await.unwrap_err();
    assert!(error.is_unavailable() && error.to_string().contains("not installed"), "{error}");
    let error = header(&AzureDeveloperCli::new().with_host(nothing)).await.unwrap_err();
    assert!(error.is_unavailable() && error.to_string().contains("not installed"), "{error}");
    assert!(az("exit 127").await.unwrap_err().is_unavailable());

    let error = az(r#"echo "ERROR: Please run 'az login' to setup account." >&2; exit 1"#).await.unwrap_err();
    assert!(error.is_unavailable());
    assert_eq!(error.hint(), Some("run `az login`"));
    for text in [
        r#"{"error":"not logged in, run `azd auth login` to login"}"#,
        r#"{"type":"consoleMessage","data":{"message":"\nERROR: not logged in, run `azd auth login` to login\n"}}"#,
    ] {
        let error = azd(&format!("cat >&2 <<'X'\n{text}\nX\nexit 1")).await.unwrap_err();
        assert!(error.is_unavailable(), "{error}");
        assert_eq!(error.hint(), Some("run `azd auth login`"));
    }
    let (_folder, host) = program("azd", "echo 'ERROR: unknown flag: --claims' >&2; exit 1");
    let with_claims = quantum().with_claims(Some("{}".into()));
    let error = AzureDeveloperCli::new().with_host(host).authorize(&with_claims).await.unwrap_err();
    assert!(error.is_unavailable(), "{error}");
    assert!(AzureCli::new().authorize(&with_claims).await.unwrap_err().is_unavailable());
}

#[tokio::test]
async fn what_is_there_but_fails_stops_and_says_why() {
    let script = "echo 'ERROR: AADSTS50076: Due to a configuration change, you must use multi-factor authentication.' >&2\necho \"To re-authenticate, please run: az login\" >&2; exit 1";
    let error = az(script).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (AuthErrorKind::Refused, Some("AADSTS50076")));
    assert!(error.hint().unwrap().contains("az login --tenant"));

    for answer in [
        "",
        "not json",
        "{}",
        r#"{"accessToken":"hunter2"}"#,
        r#"{"accessToken":"hunter2","expiresOn":"soon"}"#,
    ] {
        let error = az(&format!("echo '{answer}'")).await.unwrap_err();
        assert_eq!(error.kind(), AuthErrorKind::Refused, "{answer}");
        assert!(!format!("{error:?}").contains("hunter2"));
    }
    assert!(
        azd("echo '{\"token\":\"hunter2\"}'").await.unwrap_err().to_string().contains("when the token ends")
    );
    let error = az("head -c 2000000 /dev/zero").await.unwrap_err();
    assert_eq!(error.to_string(), "`az` printed more than 1 MiB");
}

/// Does something that blocks, for at most 20 s.
async fn within_limit<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, wait) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || done.send(work()));
    tokio::time::timeout(Duration::from_secs(20), wait).await.expect("in time").unwrap()
}

/// Waits until every holder of the other end of the pipe is gone: reading ends only then.
async fn all_gone(mut pipe: fs::File) {
    within_limit(move || pipe.read_to_end(&mut Vec::new()).unwrap()).await;
}

/// A tool that hangs, with a child and a grandchild that hang too; all of them hold the pipe open for writing.
fn hanging() -> (TempDir, Host, ManualClock, std::path::PathBuf) {
    let (folder, host) = program("az", "");
    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let script = format!(
        "exec 9>'{}'\n(sh -c 'sleep 1000 & sleep 1000 & echo ready >&9; wait' & wait) &\nwait\n",
        pipe.display()
    );
    install(folder.path(), "az", &script);
    let clock = ManualClock::new(OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap());
    let host = host.with_clock(Arc::new(clock.clone()));
    (folder, host, clock, pipe)
}

/// Opens the pipe and waits until the grandchildren run.
async fn ready(pipe: &Path) -> fs::File {
    let pipe = pipe.to_owned();
    within_limit(move || {
        let mut file = fs::File::open(pipe).unwrap();
        let mut word = [0; 6];
        file.read_exact(&mut word).unwrap();
        assert_eq!(&word, b"ready\n");
        file
    })
    .await
}

#[tokio::test]
async fn a_hung_tool_is_killed_with_its_children_and_grandchildren() {
    let (_folder, host, clock, pipe) = hanging();
    let credential = AzureCli::new().with_host(host);
    let call = tokio::spawn(async move { header(&credential).await });
    let pipe = ready(&pipe).await;
    clock.advance(Duration::from_secs(10));
    let error = call.await.unwrap().unwrap_err();
    assert!(error.is_unavailable());
    assert_eq!(error.to_string(), "`az` did not answer within 10 s");
    all_gone(pipe).await;
}

#[tokio::test]
async fn a_caller_that_gives_up_leaves_no_process_behind() {
    let (_folder, host, _clock, pipe) = hanging();
    let credential = AzureCli::new().with_host(host);
    let call = tokio::spawn(async move { header(&credential).await });
    let pipe = ready(&pipe).await;
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    all_gone(pipe).await;
}

/// A `pwsh` that decodes the script it is given, checks it, and prints this.
fn powershell(needed: &[&str], body: &str) -> String {
    let mut script = String::from(
        "[ \"$1 $2 $3\" = '-NoProfile -NonInteractive -EncodedCommand' ] || exit 2\n\
         script=$(printf %s \"$4\" | base64 -d | iconv -f UTF-16LE -t UTF-8) || exit 2\n",
    );
    for needed in needed {
        use std::fmt::Write;
        writeln!(
            script,
            "case \"$script\" in *\"{needed}\"*) ;; *) echo 'lacks {}' >&2; exit 2;; esac",
            needed.replace('\'', "")
        )
        .unwrap();
    }
    script + body
}

async fn pwsh(body: &str) -> Result<String, AuthError> {
    let (_folder, host) = program("pwsh", &powershell(&[], body));
    header(&AzurePowerShell::new().with_host(host)).await
}

#[tokio::test]
async fn powershell_gives_a_token() {
    let needed = [
        "Import-Module Az.Accounts -MinimumVersion 2.2.0",
        "ResourceUrl = 'https://quantum.microsoft.com'",
        "TenantId = 'contoso.com'",
        "AsSecureString",
    ];
    let body = "echo 'WARNING: a profile says something'; echo 'qws-auth%to%k%1800003600'; echo";
    let (_folder, host) = program("pwsh", &powershell(&needed, body));
    let credential = AzurePowerShell::new().with_host(host).with_tenant("contoso.com".parse().unwrap());
    assert_eq!(header(&credential).await.unwrap(), "Bearer to%k");
    let end = credential.authorize(&quantum()).await.unwrap().expires_on().unwrap();
    assert_eq!(end.unix_timestamp(), 1_800_003_600);
}

#[tokio::test]
async fn a_powershell_that_cannot_help_lets_a_chain_go_on() {
    let nothing = host(&[("PATH", "/nonexistent")]);
    let error = header(&AzurePowerShell::new().with_host(nothing)).await.unwrap_err();
    assert!(error.is_unavailable() && error.to_string().contains("not installed"), "{error}");
    for (body, hint) in [
        ("echo qws-auth-no-module", Some("Install-Module Az.Accounts")),
        ("echo 'Run Connect-AzAccount to login.' >&2; exit 1", Some("run `Connect-AzAccount`")),
        ("echo 'AuthorizationManager check failed.' >&2; exit 1", Some("Get-ExecutionPolicy")),
        ("echo 'something else' >&2; exit 1", None),
    ] {
        let error = pwsh(body).await.unwrap_err();
        assert!(error.is_unavailable(), "{body}: {error}");
        match hint {
            Some(hint) => assert!(error.hint().unwrap().contains(hint), "{body}: {error:?}"),
            None => assert!(error.to_string().ends_with(": something else"), "{error}"),
        }
    }
    let with_claims = quantum().with_claims(Some("{}".into()));
    assert!(AzurePowerShell::new().authorize(&with_claims).await.unwrap_err().is_unavailable());
}

#[tokio::test]
async fn a_powershell_that_was_refused_or_makes_no_sense_stops() {
    let error =
        pwsh("echo 'AADSTS50076: use multi-factor authentication. Run Connect-AzAccount' >&2; exit 1")
            .await
            .unwrap_err();
    assert_eq!((error.kind(), error.code()), (AuthErrorKind::Refused, Some("AADSTS50076")));
    for output in [
        "",
        "hunter2",
        "qws-auth%hunter2",
        "qws-auth%hunter2%soon",
        "qws-auth%%1800003600",
        "x qws-auth%hunter2%1",
    ] {
        let error = pwsh(&format!("echo '{output}'")).await.unwrap_err();
        assert_eq!(error.kind(), AuthErrorKind::Refused, "{output}");
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    }
    for scope in ["https://x';evil;'/.default", "-x", ""] {
        let request = qws_auth::AuthRequest::new(qws_auth::Audience::from_scope(scope));
        let error = AzurePowerShell::new().authorize(&request).await.unwrap_err();
        assert_eq!(error.kind(), AuthErrorKind::InvalidInput, "{scope}");
    }
}
