//! Lets an example run without an account: in an environment that leads to an emulator.
#![allow(
    dead_code,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "each example uses a part, and prints"
)]

use std::{
    env,
    error::Error,
    process::{Command, ExitCode},
};

use qws_emulator::{Application, Emulator};

/// Environment variables, by name.
pub(crate) type Variables = Vec<(&'static str, String)>;

/// Runs an example. Where the environment names no workspace, an emulator is started, and the example runs in a process
/// of its own whose environment leads there.
pub(crate) async fn run<F: Future<Output = Result<(), Box<dyn Error>>>>(
    lead: fn(&Emulator) -> Variables,
    example: impl FnOnce() -> F,
) -> ExitCode {
    let done = if workspace_is_named() { Box::pin(example()).await } else { on_emulator(lead).await };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            if let Some(hint) = error.downcast_ref::<qws::Error>().and_then(qws::Error::hint) {
                eprintln!("hint: {hint}");
            }
            ExitCode::FAILURE
        }
    }
}

fn workspace_is_named() -> bool {
    ["AZURE_QUANTUM_CONNECTION_STRING", "AZURE_QUANTUM_RESOURCE_ID", "AZURE_QUANTUM_WORKSPACE_NAME"]
        .into_iter()
        .any(|name| env::var_os(name).is_some_and(|value| !value.is_empty()))
}

async fn on_emulator(lead: fn(&Emulator) -> Variables) -> Result<(), Box<dyn Error>> {
    println!("The environment names no workspace: starting an emulator.\n");
    let emulator = Emulator::start().await?;
    let mut again = Command::new(env::current_exe()?);
    again.args(env::args_os().skip(1)).envs(lead(&emulator));
    let status = tokio::task::spawn_blocking(move || again.status()).await??;
    if status.success() { Ok(()) } else { Err("the example failed".into()) }
}

/// Leads to the emulator by its connection string.
pub(crate) fn by_key(emulator: &Emulator) -> Variables {
    vec![("AZURE_QUANTUM_CONNECTION_STRING", emulator.connection_string())]
}

/// Leads to the emulator by its resource id, as on a virtual machine of Azure that has an identity.
pub(crate) fn on_a_machine(emulator: &Emulator) -> Variables {
    vec![
        ("AZURE_QUANTUM_RESOURCE_ID", emulator.resource_id()),
        ("QWS_RESOURCE_MANAGER_ENDPOINT", emulator.endpoint()),
        ("AZURE_POD_IDENTITY_AUTHORITY_HOST", emulator.identity().imds_url()),
    ]
}

/// Leads to the emulator by its resource id, as an application with a secret.
pub(crate) fn as_application(emulator: &Emulator) -> Variables {
    let identity = emulator.identity();
    let secret = "a secret of the emulator";
    let application = Application { secrets: vec![secret.to_owned()], ..Application::default() };
    identity.register(application.clone());
    vec![
        ("AZURE_QUANTUM_RESOURCE_ID", emulator.resource_id()),
        ("QWS_RESOURCE_MANAGER_ENDPOINT", emulator.endpoint()),
        ("AZURE_AUTHORITY_HOST", identity.authority_url()),
        ("AZURE_TENANT_ID", application.tenant_id),
        ("AZURE_CLIENT_ID", application.client_id),
        ("AZURE_CLIENT_SECRET", secret.to_owned()),
    ]
}
