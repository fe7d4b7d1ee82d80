//! The providers and targets of an emulated workspace, as of November 2026.

use http::StatusCode;

use crate::answer::ServiceError;

/// A provider with its targets.
pub(crate) struct Provider {
    pub(crate) id: &'static str,
    pub(crate) status_page: &'static str,
    pub(crate) target_profile: &'static str,
    pub(crate) targets: &'static [Target],
}

pub(crate) struct Target {
    pub(crate) id: &'static str,
    pub(crate) availability: &'static str,
    /// Seconds.
    pub(crate) queue_time: u32,
    pub(crate) qubits: u32,
}

const fn target(id: &'static str, availability: &'static str, queue_time: u32, qubits: u32) -> Target {
    Target { id, availability, queue_time, qubits }
}

pub(crate) const PROVIDERS: &[Provider] = &[
    Provider {
        id: "ionq",
        status_page: "https://status.ionq.co",
        target_profile: "Base",
        targets: &[
            target("ionq.simulator", "Available", 3, 29),
            target("ionq.qpu.aria-1", "Unavailable", 0, 25),
            target("ionq.qpu.forte-1", "Degraded", 86_400, 36),
        ],
    },
    Provider {
        id: "quantinuum",
        status_page: "https://www.quantinuum.com/hardware",
        target_profile: "Adaptive_RI",
        targets: &[
            target("quantinuum.sim.h2-1sc", "Available", 0, 56),
            target("quantinuum.sim.h2-1e", "Available", 1455, 56),
            target("quantinuum.qpu.h2-1", "Available", 93_331, 56),
        ],
    },
    Provider {
        id: "rigetti",
        status_page: "https://rigetti.statuspage.io/",
        target_profile: "Base",
        targets: &[
            target("rigetti.sim.qvm", "Available", 5, 20),
            target("rigetti.qpu.cepheus-1-108q", "Available", 600, 108),
        ],
    },
    Provider {
        id: "pasqal",
        status_page: "",
        target_profile: "Base",
        targets: &[target("pasqal.sim.emu-sv", "Available", 3, 25)],
    },
];

/// Finds a provider by its id, without case: the Python client writes `IonQ`.
pub(crate) fn provider(id: &str) -> Option<&'static Provider> {
    PROVIDERS.iter().find(|provider| provider.id.eq_ignore_ascii_case(id))
}

/// Finds a target, within the provider if one is named.
pub(crate) fn find(
    provider_id: Option<&str>,
    target: &str,
) -> Result<(&'static Provider, &'static Target), ServiceError> {
    let refused = |what: &str| {
        let message = format!("The {what} specified does not exist or is not enabled for the workspace.");
        ServiceError::new(StatusCode::FORBIDDEN, "InvalidJobDefinition", message)
    };
    let providers: Vec<&Provider> = match provider_id.filter(|id| !id.is_empty()) {
        Some(id) => vec![provider(id).ok_or_else(|| refused("provider"))?],
        None => PROVIDERS.iter().collect(),
    };
    providers
        .into_iter()
        .find_map(|provider| {
            let found = provider.targets.iter().find(|known| known.id.eq_ignore_ascii_case(target));
            found.map(|target| (provider, target))
        })
        .ok_or_else(|| refused("target"))
}
