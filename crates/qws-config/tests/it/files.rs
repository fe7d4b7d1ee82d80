//! The files that settings are read from.

use qws_config::{Files, ProfileErrorKind, Resolution, Settings, SettingsError, Source};
use std::fs;
use std::path::{Path, PathBuf};

const CONNECTION_STRING: &str = "SubscriptionId=11111111-2222-3333-4444-555555555555;ResourceGroupName=contoso-rg;WorkspaceName=contoso-ws;\
                                 ApiKey=hunter2;QuantumEndpoint=https://eastus.quantum.azure.com/;";

/// A folder of this test alone.
fn home(test: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(test);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(folder.join(".config/qws")).unwrap();
    fs::create_dir_all(folder.join(".azure")).unwrap();
    folder
}

fn files(home: &Path, config: Option<&str>) -> Files {
    Files::from_lookup(|name| match name {
        "HOME" => Some(home.to_str().unwrap().to_owned()),
        "QWS_CONFIG" => config.map(str::to_owned),
        _ => None,
    })
}

fn profile_error(settings: &Settings) -> qws_config::ProfileError {
    match settings.resolve().unwrap_err() {
        SettingsError::Profile(error) => error,
        other => panic!("{other}"),
    }
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn both_files_are_found_in_the_home_folder() {
    let home = home("both");
    fs::write(
        home.join(".config/qws/config.toml"),
        "version = 1\ndefault = 'p'\n[profile.p]\nlocation = 'East US'\n",
    )
    .unwrap();
    let subscription = r#"{"subscriptions":[{"id":"11111111-2222-3333-4444-555555555555","isDefault":true,"tenantId":"contoso.example"}]}"#;
    fs::write(home.join(".azure/azureProfile.json"), format!("\u{feff}{subscription}")).unwrap();
    fs::write(
        home.join(".azure/config"),
        "[core]\nworkspace = no\n[defaults]\n# a comment\ngroup=contoso-rg\nWorkspace = contoso-ws\n",
    )
    .unwrap();
    let settings = Settings::new().with_files(&files(&home, None));
    let resolved = settings.resolve().unwrap();
    let Resolution::NeedsEndpoint { resource_id, location, .. } = resolved.workspace() else {
        panic!("{resolved:?}")
    };
    assert_eq!(resource_id.workspace_name().as_str(), "contoso-ws");
    assert_eq!(location.as_ref().unwrap().as_str(), "eastus");
    assert_eq!(resolved.tenant_id().unwrap().as_str(), "contoso.example");
    let explanation = settings.explain();
    let from = |source| explanation.values().iter().any(|value| *value.source() == source);
    assert!(from(Source::AzureCli) && from(Source::ConfigFile), "{explanation}");
}

#[test]
fn missing_files_are_no_error_unless_they_were_named() {
    let home = home("missing");
    assert!(matches!(
        Settings::new().with_files(&files(&home, None)).resolve(),
        Err(SettingsError::Missing { .. })
    ));
    let named = Settings::new().with_files(&files(&home, Some("/nowhere/config.toml")));
    let error = profile_error(&named);
    assert_eq!(error.kind(), ProfileErrorKind::Unreadable);
    assert!(error.to_string().starts_with("profile file `/nowhere/config.toml`: "), "{error}");
    // Nor is a named one, if all is known without it; but a profile that the program asks for must be there.
    let complete = named.with_connection_string(&CONNECTION_STRING.parse().unwrap());
    assert!(complete.resolve().is_ok());
    assert_eq!(profile_error(&complete.with_profile("work")).kind(), ProfileErrorKind::Unreadable);
    assert!(Files::from_lookup(|_| None) == Files::none());
}

#[cfg(unix)]
#[test]
fn a_key_is_taken_only_from_a_file_that_nobody_else_can_read() {
    let path = home("private").join("profiles.toml");
    fs::write(&path, format!("version = 1\n[profile.p]\nconnection_string = '{CONNECTION_STRING}'\n"))
        .unwrap();
    let settings = || Settings::new().with_profile("p").with_files(&Files::none().with_profiles(&path));
    for mode in [0o644, 0o640, 0o604, 0o660] {
        set_mode(&path, mode);
        let error = profile_error(&settings());
        assert_eq!(error.kind(), ProfileErrorKind::NotPrivate, "{mode:o}");
        assert!(error.hint().unwrap().contains("chmod 600") && !error.to_string().contains("hunter2"));
    }
    for mode in [0o600, 0o400] {
        set_mode(&path, mode);
        assert_eq!(settings().resolve().unwrap().api_key().unwrap().expose(), "hunter2", "{mode:o}");
    }
}

#[test]
fn a_profile_file_that_is_too_large_or_no_text_is_told() {
    let home = home("odd");
    let path = home.join("profiles.toml");
    for (content, message) in
        [(vec![b'#'; (1 << 20) + 1], "larger than 1 MiB"), (vec![0xff, 0xfe], "valid UTF-8")]
    {
        fs::write(&path, content).unwrap();
        let error = profile_error(&Settings::new().with_files(&Files::none().with_profiles(&path)));
        assert!(error.to_string().contains(message), "{error}");
    }
}

#[test]
fn a_broken_file_of_the_azure_cli_is_ignored_and_told() {
    let home = home("broken-cli");
    fs::write(home.join(".azure/azureProfile.json"), "{").unwrap();
    let settings =
        Settings::new().with_files(&files(&home, None)).with_workspace_name("contoso-ws".parse().unwrap());
    assert!(settings.resolve().is_ok());
    let explanation = settings.explain();
    assert_eq!(explanation.ignored()[0].source(), &Source::AzureCli);
    assert!(explanation.ignored()[0].reason().starts_with("azureProfile.json: "), "{explanation}");
}
