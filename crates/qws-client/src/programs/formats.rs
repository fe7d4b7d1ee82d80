//! Which formats the targets of each provider take, as data with a date. It only ever leads to a warning: providers and
//! formats change, and the service decides.

/// When the table was last compared with the service's documentation.
pub(crate) const FORMATS_AS_OF: &str = "2026-11";

/// Provider, and the input formats that its targets take.
const FORMATS: &[(&str, &[&str])] = &[
    ("ionq", &["ionq.circuit.v1", "qir.v1"]),
    ("quantinuum", &["honeywell.openqasm.v1", "quantinuum.openqasm.v1", "honeywell.qir.v1", "qir.v1"]),
    ("rigetti", &["rigetti.quil.v1", "rigetti.qir.v1", "qir.v1"]),
    ("pasqal", &["pasqal.pulser.v1"]),
    ("qci", &["qir.v1"]),
];

/// The formats known for a provider; `None` for one that we do not know.
pub(crate) fn known_formats(provider: &str) -> Option<&'static [&'static str]> {
    FORMATS.iter().find(|(name, _)| name.eq_ignore_ascii_case(provider)).map(|(_, formats)| *formats)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_does_not_matter_and_unknown_providers_are_unknown() {
        assert!(known_formats("IonQ").is_some_and(|formats| formats.contains(&"qir.v1")));
        assert_eq!(known_formats("acme"), None);
    }
}
